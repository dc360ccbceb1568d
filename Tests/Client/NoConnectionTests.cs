using AspireChat.Client;
using AspireChat.Contracts.Frames;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>When there will be no connection: the application learns why, and nothing is tried for ever.</summary>
public sealed class NoConnectionTests
{
    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("a\r\nHost: evil")]
    [InlineData("tökén")]
    public async Task ConnectAsync_fails_for_a_malformed_token_and_the_token_is_sent_nowhere(string token)
    {
        await using var server = await FaultServer.StartAsync();
        var calls = 0;
        server.Script.OnUpgrade = _ => 101 + 0 * ++calls;
        server.Script.OnHttp = _ => 200 + 0 * ++calls;
        await using var client = new ChatClient(Options(server) with { TokenProvider = _ => ValueTask.FromResult(token) });

        var fault = await Assert.ThrowsAsync<ChatException>(() => client.ConnectAsync().WaitAsync(FaultServer.Patience));

        Assert.Equal(ChatErrorCodes.Token, fault.Code);
        Assert.Equal((ChatConnectionState.Closed, 0), (client.State, calls));
        Assert.DoesNotContain(token.Length > 0 ? token : "no token", fault.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, 2)]
    [InlineData(403, 1)]
    public async Task ConnectAsync_fails_for_a_refused_token(int status, int attempts)
    {
        await using var server = await FaultServer.StartAsync();
        var upgrades = 0;
        server.Script.OnUpgrade = _ => status + 0 * ++upgrades;
        await using var client = new ChatClient(Options(server) with { FindDirectConversations = false });

        var fault = await Assert.ThrowsAsync<ChatException>(() => client.ConnectAsync().WaitAsync(FaultServer.Patience));

        Assert.Equal((ChatErrorCodes.Token, status, attempts), (fault.Code, fault.Status, upgrades));
        Assert.Equal(ChatErrorCodes.Token, (await Assert.ThrowsAsync<ChatException>(() => client.JoinAsync("lobby"))).Code);
    }

    [Theory]
    [InlineData("two words", 2)]
    [InlineData("refused", 4)]
    public async Task With_the_defaults_too_a_provider_without_a_good_token_is_asked_twice_for_history_and_twice_for_the_connection_at_most(
        string token, int most)
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnUpgrade = _ => 401;
        server.Script.OnHttp = _ => 401;
        var asked = 0;
        await using var client = new ChatClient(new ChatClientOptions
        {
            Gateway = Options(server).Gateway,
            TokenProvider = _ => ValueTask.FromResult($"{token}{++asked}"),
        });

        var fault = await Assert.ThrowsAsync<ChatException>(() => client.ConnectAsync().WaitAsync(FaultServer.Patience));

        Assert.Equal(ChatErrorCodes.Token, fault.Code);
        Assert.InRange(asked, 1, most);
    }

    [Fact]
    public async Task ConnectAsync_fails_for_a_close_that_says_stay_away_and_names_its_code()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnSay = (socket, _) =>
        {
            socket.Close(CloseCodes.Forbidden);
            return [];
        };
        await using var client = new ChatClient(Options(server));

        var fault = await Assert.ThrowsAsync<ChatException>(() => client.ConnectAsync().WaitAsync(FaultServer.Patience));

        Assert.Equal((ChatErrorCodes.Closed, CloseCodes.Forbidden), (fault.Code, fault.CloseCode));
    }

    [Fact]
    public async Task ConnectAsync_fails_for_a_token_provider_that_gives_up()
    {
        await using var server = await FaultServer.StartAsync();
        var asked = 0;
        await using var client = new ChatClient(Options(server) with
        {
            FindDirectConversations = false,
            TokenProvider = _ => throw new UnauthorizedAccessException("signed out" + ++asked),
        });

        var fault = await Assert.ThrowsAsync<ChatException>(() => client.ConnectAsync().WaitAsync(FaultServer.Patience));

        Assert.Equal((ChatErrorCodes.Token, 1), (fault.Code, asked));
        Assert.Contains("signed out", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_provider_that_never_answers_is_asked_again_and_does_not_hold_up_the_end()
    {
        await using var server = await FaultServer.StartAsync();
        var never = new TaskCompletionSource<string>();
        var asked = 0;
        await using var client = new ChatClient(Options(server) with
        {
            FindDirectConversations = false, ConnectTimeout = TimeSpan.FromMilliseconds(100),
            TokenProvider = _ => ++asked == 1 ? new ValueTask<string>(never.Task) : ValueTask.FromResult("alice"),
        });

        // A late failure is nobody's unobserved exception.
        await client.ConnectAsync().WaitAsync(FaultServer.Patience);
        never.SetException(new HttpRequestException("late"));

        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_token_of_another_user_is_told_as_forbidden()
    {
        await using var server = await FaultServer.StartAsync();
        string[] users = ["alice", "bob"];
        var asked = 0;
        await using var client = new ChatClient(
            Options(server) with { TokenProvider = _ => ValueTask.FromResult(users[asked++]), FindDirectConversations = false });
        await client.ConnectAsync().WaitAsync(FaultServer.Patience);
        await using var listener = new Listener(client);

        (await server.NextSocketAsync()).Cut();
        await listener.Completion.WaitAsync(FaultServer.Patience);

        Assert.Equal(ChatErrorCodes.Forbidden, (await Assert.ThrowsAsync<ChatException>(() => client.JoinAsync("lobby"))).Code);
    }

    [Fact]
    public async Task ConnectAsync_after_the_end_begins_another_session()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using (var listener = new Listener(client))
        {
            socket.Close(CloseCodes.Forbidden);
            await listener.Completion.WaitAsync(FaultServer.Patience);
        }

        await client.ConnectAsync().WaitAsync(FaultServer.Patience);
        await using var again = new Listener(client);
        await client.JoinAsync("lobby").WaitAsync(FaultServer.Patience);
        await client.SendAsync(Lobby, "back").WaitAsync(FaultServer.Patience);

        await again.EventAsync(Lobby, 1);
        Assert.Equal(ChatConnectionState.Connected, client.State);
    }

    [Fact]
    public async Task The_API_of_a_client_has_its_token_and_asks_for_another_one_when_the_server_refuses_it()
    {
        await using var server = await FaultServer.StartAsync();
        server.WriteToLobby(first: 1, last: 2);
        var tokens = 0;
        await using var client = new ChatClient(
            Options(server) with { TokenProvider = _ => ValueTask.FromResult($"alice~{++tokens}"), FindDirectConversations = false });
        await client.ConnectAsync().WaitAsync(FaultServer.Patience);

        Assert.Equal(2, (await client.Api.HistoryAsync(Lobby, limit: 50)).Head);
        Assert.Equal(1, tokens);
        server.Script.OnHttp = request => request.Headers.Authorization.ToString().EndsWith("~1", StringComparison.Ordinal) ? 401 : 200;
        Assert.Equal(2, (await client.Api.HistoryAsync(Lobby, limit: 50)).Head);
        Assert.Equal(2, tokens);
    }

    [Fact]
    public async Task The_first_use_connects()
    {
        await using var server = await FaultServer.StartAsync();
        await using var client = new ChatClient(Options(server));
        Assert.Equal(ChatConnectionState.Idle, client.State);

        await client.JoinAsync("lobby").WaitAsync(FaultServer.Patience);

        Assert.Equal(ChatConnectionState.Connected, client.State);
    }

    public static TheoryData<string, Func<ChatClientOptions, ChatClientOptions>> BadOptions => new()
    {
        { nameof(ChatClientOptions.Gateway), options => options with { Gateway = new Uri("ftp://chat") } },
        { nameof(ChatClientOptions.TokenProvider), options => options with { TokenProvider = null! } },
        { nameof(ChatClientOptions.EventBuffer), options => options with { EventBuffer = 15 } },
        { nameof(ChatClientOptions.AckTimeout), options => options with { AckTimeout = TimeSpan.Zero } },
        { nameof(ChatClientOptions.SendLifetime), options => options with { SendLifetime = TimeSpan.FromDays(50) } },
        { nameof(ChatClientOptions.MaxReconnectDelay), options => options with { MaxReconnectDelay = TimeSpan.FromTicks(1) } },
    };

    [Theory]
    [MemberData(nameof(BadOptions), DisableDiscoveryEnumeration = true)]
    public void An_option_that_cannot_work_is_named_at_once(string option, Func<ChatClientOptions, ChatClientOptions> break_)
    {
        var options = break_(new ChatClientOptions { Gateway = new Uri("http://localhost"), TokenProvider = _ => default });

        var fault = Assert.Throws<ChatException>(() => new ChatClient(options));

        Assert.Equal((ChatErrorCodes.BadOption, option), (fault.Code, fault.Option));
        Assert.StartsWith(option, fault.Message, StringComparison.Ordinal);
    }
}
