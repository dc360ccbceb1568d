using System.Net.WebSockets;
using System.Text.Json.Nodes;
using AspireChat.Client;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;
using Microsoft.Extensions.Time.Testing;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>When the client connects, stays, leaves, and does not come back. Its waits follow a clock that the test moves.</summary>
public sealed class ConnectionTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_draining_node_is_left_after_the_time_that_it_names_and_replaced_by_a_new_connection()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server, options => options with { TimeProvider = _clock });
        await using var _ = client;
        await using var listener = new Listener(client);
        var asked = _clock.GetUtcNow();

        socket.Say(new JsonObject { ["type"] = "reconnect", ["after"] = 3_000 });
        socket.Close(CloseCodes.Restart);
        var change = await listener.ItemAsync<ChatConnectionChanged>(c => c.State == ChatConnectionState.Reconnecting);
        await AdvanceUntilAsync(() => server.Sockets.Any(s => s != socket));

        Assert.Equal(CloseCodes.Restart, change.CloseCode);
        Assert.InRange(_clock.GetUtcNow() - asked, TimeSpan.FromMilliseconds(2_900), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_draining_node_that_does_not_close_is_left_too()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server, options => options with { TimeProvider = _clock });
        await using var _ = client;
        await using var listener = new Listener(client);

        socket.Say(new JsonObject { ["type"] = "reconnect", ["after"] = 3_000 });
        await AdvanceUntilAsync(() => server.Sockets.Any(s => s != socket));

        server.Write("r:lobby", "bob", "there");
        await AdvanceUntilAsync(() => listener.Contents(Lobby).Any());
    }

    [Fact]
    public async Task An_expired_token_is_renewed_before_the_next_connection()
    {
        await using var server = await FaultServer.StartAsync();
        var tokens = 0;
        await using var client = new ChatClient(
            Options(server) with { TokenProvider = _ => ValueTask.FromResult($"alice~{++tokens}"), FindDirectConversations = false });
        await client.ConnectAsync();
        var first = await server.NextSocketAsync();

        first.Close(CloseCodes.TokenExpired);
        var second = await server.NextSocketAsync();

        Assert.Equal(("alice~1", "alice~2"), (first.Token, second.Token));
    }

    [Theory]
    [InlineData(CloseCodes.Unauthorized)]
    [InlineData(CloseCodes.Forbidden)]
    [InlineData(CloseCodes.Flooding)]
    [InlineData(4050)]
    public async Task A_close_that_says_stay_away_ends_the_client(int code)
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);
        server.Script.OnFrame = (_, frame) => (string)frame["type"]! == "room";
        var send = client.SendAsync(Lobby, "never answered");

        socket.Close(code);
        await listener.Completion.WaitAsync(FaultServer.Patience);

        var last = Assert.IsType<ChatConnectionChanged>(listener.Items[^1]);
        Assert.Equal((ChatConnectionState.Closed, code), (last.State, last.CloseCode));
        Assert.Equal(ChatErrorCodes.Closed, (await Assert.ThrowsAsync<ChatException>(() => send)).Code);
        Assert.Equal(ChatErrorCodes.Closed, (await Assert.ThrowsAsync<ChatException>(() => client.JoinAsync("other"))).Code);
        Assert.DoesNotContain(server.Sockets, s => s != socket);
    }

    [Theory]
    [InlineData(CloseStatus.Normal)]
    [InlineData(1001)]
    [InlineData(CloseStatus.InternalError)]
    [InlineData(CloseCodes.Restart)]
    [InlineData(CloseCodes.TooSlow)]
    [InlineData(4100)]
    public async Task Any_other_close_is_followed_by_a_new_connection_that_resumes(int code)
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;

        socket.Close(code);

        Assert.NotNull(await (await server.NextSocketAsync()).ReceivedAsync("resume"));
    }

    [Fact]
    public async Task A_token_that_is_refused_twice_ends_the_client_and_one_that_is_refused_once_is_replaced()
    {
        await using var server = await FaultServer.StartAsync();
        var tokens = 0;
        server.Script.OnUpgrade = token => token is "alice~1" or "alice~3" or "alice~4" ? 401 : 101;
        await using var client = new ChatClient(
            Options(server) with { TokenProvider = _ => ValueTask.FromResult($"alice~{++tokens}"), FindDirectConversations = false });
        await using var listener = new Listener(client);

        await client.ConnectAsync().WaitAsync(FaultServer.Patience);
        (await server.NextSocketAsync()).Cut();
        await listener.Completion.WaitAsync(FaultServer.Patience);

        Assert.Equal(4, tokens);
        Assert.Equal(CloseCodes.Unauthorized, Assert.IsType<ChatConnectionChanged>(listener.Items[^1]).CloseCode);
    }

    [Fact]
    public async Task A_token_provider_that_fails_is_asked_again_and_one_that_gives_up_ends_the_client()
    {
        await using var server = await FaultServer.StartAsync();
        var asked = 0;
        await using var client = new ChatClient(Options(server) with
        {
            FindDirectConversations = false,
            TokenProvider = _ => ++asked switch
            {
                1 => throw new HttpRequestException("down"),
                2 => ValueTask.FromResult("alice"),
                _ => throw new UnauthorizedAccessException("signed out"),
            },
        });
        await client.ConnectAsync().WaitAsync(FaultServer.Patience);
        await using var listener = new Listener(client);

        (await server.NextSocketAsync()).Cut();
        await listener.Completion.WaitAsync(FaultServer.Patience);

        Assert.Equal("signed out", Assert.IsType<ChatConnectionChanged>(listener.Items[^1]).Reason);
        Assert.Contains(listener.Items.OfType<ChatFault>(), fault => fault.Code == ChatErrorCodes.Token);
    }

    [Fact]
    public async Task A_token_of_another_user_ends_the_client_before_conversations_mix()
    {
        await using var server = await FaultServer.StartAsync();
        string[] users = ["alice", "bob"];
        var asked = 0;
        await using var client = new ChatClient(
            Options(server) with { TokenProvider = _ => ValueTask.FromResult(users[asked++]), FindDirectConversations = false });
        await client.ConnectAsync();
        await using var listener = new Listener(client);

        (await server.NextSocketAsync()).Cut();
        await listener.Completion.WaitAsync(FaultServer.Patience);

        Assert.Equal(ChatConnectionState.Closed, client.State);
        Assert.Equal("alice", client.User);
    }

    [Fact]
    public async Task A_token_is_renewed_in_band_before_its_end_and_the_connection_stays()
    {
        await using var server = await FaultServer.StartAsync();
        var start = _clock.GetUtcNow();
        var tokens = 0;
        server.Script.Expires = () => _clock.GetUtcNow().AddMinutes(10).ToString("O");
        await using var client = new ChatClient(Options(server) with
        {
            TimeProvider = _clock, FindDirectConversations = false, ConnectTimeout = TimeSpan.FromMinutes(10),
            TokenProvider = _ => ValueTask.FromResult($"alice~{++tokens}"),
        });
        await client.ConnectAsync();
        var socket = await server.NextSocketAsync();

        await AdvanceUntilAsync(() => socket.Received.Count(f => (string?)f["type"] == "auth") == 1, step: 5);
        var first = _clock.GetUtcNow() - start;
        await AdvanceUntilAsync(() => socket.Received.Count(f => (string?)f["type"] == "auth") == 2, step: 5);

        Assert.Equal(["alice~2", "alice~3"], socket.Received.Where(f => (string?)f["type"] == "auth").Select(f => (string)f["token"]!));
        Assert.InRange(first, TimeSpan.FromMinutes(8.9), TimeSpan.FromMinutes(9.5));
        Assert.Single(server.Sockets);
    }

    [Fact]
    public async Task A_silent_connection_gets_a_ping_and_is_replaced_without_an_answer()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.Heartbeat = 15;
        var start = _clock.GetUtcNow();
        var (client, socket) = await InLobbyAsync(server,
            options => options with { TimeProvider = _clock, PongTimeout = TimeSpan.FromSeconds(60), AckTimeout = TimeSpan.FromHours(1) });
        await using var _ = client;

        // The server answers, so the connection stays.
        for (var pings = 1; pings <= 3; pings++)
        {
            await AdvanceUntilAsync(() => socket.Received.Count(f => (string?)f["type"] == "ping") == pings, step: 0.5);
            // The pong has arrived before this answer, even on a slow machine.
            await client.SendAsync(Lobby, "hello").WaitAsync(FaultServer.Patience);
        }
        Assert.Single(server.Sockets);
        Assert.InRange(_clock.GetUtcNow() - start, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(600));

        socket.IsMute = true;
        var muted = _clock.GetUtcNow();
        await AdvanceUntilAsync(() => server.Sockets.Any(s => s != socket), step: 0.5);

        Assert.InRange(_clock.GetUtcNow() - muted, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(200));
    }

    [Fact]
    public async Task Events_lost_on_a_half_open_connection_come_after_it_is_replaced()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.Heartbeat = 15;
        var (client, socket) = await InLobbyAsync(server, options => options with { TimeProvider = _clock });
        await using var _ = client;
        await using var listener = new Listener(client);

        lock (server.Gate)
        {
            socket.IsMute = true;
        }

        server.Write("r:lobby", "bob", "1");
        var send = client.SendAsync(Lobby, "2");
        await AdvanceUntilAsync(() => send.IsCompleted && listener.Seqs(Lobby).Count() == 2);

        await send;
        Assert.Equal([1, 2], listener.Seqs(Lobby));
    }

    [Fact]
    public async Task The_wait_for_a_welcome_that_does_not_come_is_bounded()
    {
        await using var server = await FaultServer.StartAsync();
        var mute = true;
        server.Script.OnSay = (_, frame) => mute ? [] : [frame];
        await using var client = new ChatClient(Options(server) with { TimeProvider = _clock, FindDirectConversations = false });
        var connecting = client.ConnectAsync();
        await server.NextSocketAsync();

        mute = false;
        await AdvanceUntilAsync(() => connecting.IsCompleted);

        Assert.Equal(ChatConnectionState.Connected, client.State);
    }

    [Fact]
    public async Task Disposing_closes_the_connection_with_1000()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);

        await client.DisposeAsync();
        await client.DisposeAsync();
        await socket.Ended.Task.WaitAsync(FaultServer.Patience);

        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.ClosedByClient);
    }

    [Fact]
    public async Task Waits_end_at_once_when_they_are_cancelled_and_the_client_goes_on()
    {
        await using var server = await FaultServer.StartAsync();
        var open = false;
        server.Script.OnUpgrade = _ => open ? 101 : 503;
        server.Script.OnFrame = (_, frame) => !open && (string)frame["type"]! == "leave";
        await using var client = new ChatClient(Options(server) with { FindDirectConversations = false });
        using var cancel = new CancellationTokenSource();
        await using var reading = client.Events(cancel.Token).GetAsyncEnumerator(CancellationToken.None);
        var (connect, join) = (client.ConnectAsync(cancel.Token), client.JoinAsync("lobby", cancellationToken: cancel.Token));
        await reading.MoveNextAsync();

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connect);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => join);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading.MoveNextAsync());

        lock (server.Gate)
        {
            open = true;
        }

        await client.ConnectAsync().WaitAsync(FaultServer.Patience);
        await client.JoinAsync("lobby").WaitAsync(FaultServer.Patience);
    }

    [Fact]
    public async Task Typing_is_throttled_and_a_read_cursor_reaches_the_server_over_a_lost_connection()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;

        for (var i = 0; i < 10; i++)
        {
            client.Typing(Lobby);
        }

        client.Typing(Lobby, active: false);
        lock (server.Gate)
        {
            socket.Cut();
        }

        client.MarkRead(Lobby, 5);
        client.MarkRead(Lobby, 3);
        var read = await (await server.NextSocketAsync()).ReceivedAsync("read");

        Assert.Equal(5, (long?)read["seq"]);
        Assert.InRange(socket.Received.Count(f => (string?)f["type"] == "typing"), 0, 2);
    }

    /// <summary>Moves the clock in small steps until the condition holds. Real time passes only for the sockets to work.</summary>
    private async Task AdvanceUntilAsync(Func<bool> condition, double step = 0.1)
    {
        using var patience = new CancellationTokenSource(FaultServer.Patience);
        while (!condition())
        {
            if (patience.IsCancellationRequested)
            {
                Assert.Fail($"Never came true until {_clock.GetUtcNow()}.");
            }

            _clock.Advance(TimeSpan.FromSeconds(step));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
    }
}
