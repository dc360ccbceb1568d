using System.Text.Json.Nodes;
using AspireChat.Client;
using AspireChat.Contracts.Frames;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>What a view shows of the user's own messages before they are in the log.</summary>
public sealed class PendingMessageTests : IAsyncLifetime
{
    private FaultServer _server = null!;

    /// <summary>The server hears no message.</summary>
    private volatile bool _isDeaf;

    /// <summary>No event reaches the client, but acknowledgements do.</summary>
    private volatile bool _holdsCopies;

    /// <summary>Refuses messages for good.</summary>
    private volatile string? _refusal;

    public async Task InitializeAsync()
    {
        _server = await FaultServer.StartAsync();
        _server.Script.OnSay = (_, frame) => _holdsCopies && frame["id"] is not null && (string?)frame["type"] != "ack" ? [] : [frame];
        _server.Script.OnFrame = (socket, frame) =>
        {
            if ((string)frame["type"]! is not ("room" or "dm" or "edit"))
            {
                return false;
            }

            if (_refusal is { } code)
            {
                socket.Say(new JsonObject { ["type"] = "error", ["code"] = code, ["message"] = "scripted", ["nonce"] = (string)frame["nonce"]! });
            }

            return _isDeaf || _refusal is not null;
        };
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_message_on_its_way_is_shown_with_all_that_it_carries_until_its_copy_takes_its_place()
    {
        _server.WriteToLobby(first: 1, last: 1);
        await using var client = await ClientAsync();
        using var view = client.View(Lobby);
        (_isDeaf, _holdsCopies) = (true, true);

        var sending = client.SendAsync(Lobby, "hello", new ChatMessageOptions { Nonce = "n1", ReplyTo = 1, Mentions = ["bob"], Meta = """{"a":1}""" });

        var pending = Assert.Single(view.Current.Pending);
        Assert.Equal(
            ("n1", "hello", PendingMessageState.Sending, 0, null, 1, "bob", """{"a":1}"""),
            (pending.Nonce, pending.Content, pending.State, pending.Seq, pending.Error, pending.ReplyTo, Assert.Single(pending.Mentions), pending.Meta));

        _isDeaf = false;
        var receipt = await sending.WaitAsync(FaultServer.Patience);
        Assert.Equal(pending with { State = PendingMessageState.Accepted, Seq = receipt.Seq }, Assert.Single(view.Current.Pending));
        Assert.Empty(view.Current.Messages);

        _holdsCopies = false;
        _server.Write("r:lobby", "bob", "next");
        var now = await UntilAsync(view, snapshot => snapshot.Head == 3);
        Assert.Equal(["hello", "next"], now.Messages.Select(message => message.Content));
        Assert.Empty(now.Pending);
    }

    [Fact]
    public async Task At_each_moment_a_message_is_either_pending_or_in_its_place()
    {
        await using var client = await ClientAsync();
        using var view = client.View(Lobby);
        var sends = 0;
        using var stop = new CancellationTokenSource();
        var watching = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                var atLeast = Volatile.Read(ref sends);
                var now = view.Current;
                var shown = now.Messages.Select(message => message.Content).Concat(now.Pending.Select(message => message.Content)).ToList();
                Assert.Equal(shown.Distinct(), shown);
                Assert.True(shown.Count >= atLeast, $"{shown.Count} of {atLeast}");
            }
        });

        for (var i = 0; i < 200; i++)
        {
            var sending = client.SendAsync(Lobby, $"{i}");
            Volatile.Write(ref sends, i + 1);
            await sending.WaitAsync(FaultServer.Patience);
        }

        await stop.CancelAsync();
        await watching;
        Assert.Empty((await UntilAsync(view, snapshot => snapshot.Head == 200)).Pending);
    }

    [Fact]
    public async Task A_message_that_was_refused_for_good_waits_until_it_is_sent_again_as_a_new_one()
    {
        await using var client = await ClientAsync();
        using var view = client.View(Lobby);
        _refusal = ErrorCodes.Forbidden;
        await Assert.ThrowsAsync<ChatException>(
            () => client.SendAsync(Lobby, "hello", new ChatMessageOptions { Nonce = "n1", Meta = """{"a":1}""" }).WaitAsync(FaultServer.Patience));
        var failed = Assert.Single(view.Current.Pending);
        Assert.Equal((PendingMessageState.Failed, ErrorCodes.Forbidden), (failed.State, failed.Error?.Code));
        Assert.Null(await view.RetryAsync("another"));

        _refusal = null;
        var receipt = await view.RetryAsync("n1").WaitAsync(FaultServer.Patience);

        Assert.NotEqual("n1", receipt!.Nonce);
        var now = await UntilAsync(view, snapshot => snapshot.Head == 1);
        Assert.Equal(("hello", """{"a":1}"""), (now.Messages[0].Content, now.Messages[0].Meta));
        Assert.Empty(now.Pending);
        Assert.Null(await view.RetryAsync("n1"));
    }

    [Fact]
    public async Task A_failed_message_is_discarded_in_all_views_and_forgotten_with_the_last_one()
    {
        await using var client = await ClientAsync();
        var views = new[] { client.View(Lobby), client.View(Lobby) };
        _refusal = ErrorCodes.Forbidden;
        foreach (var nonce in (string[])["n1", "n2"])
        {
            await Assert.ThrowsAsync<ChatException>(() => client.SendAsync(Lobby, nonce, nonce).WaitAsync(FaultServer.Patience));
        }

        Assert.All(views, view => Assert.Equal(["n1", "n2"], view.Current.Pending.Select(message => message.Nonce)));
        Assert.Equal("n1", views[0].Discard("n1")?.Content);
        Assert.Null(views[0].Discard("n1"));
        Assert.All(views, view => Assert.Equal(["n2"], view.Current.Pending.Select(message => message.Nonce)));

        views[0].Dispose();
        Assert.Single(views[1].Current.Pending);
        views[1].Dispose();
        using var later = client.View(Lobby);
        Assert.Empty(later.Current.Pending);
    }

    [Fact]
    public async Task A_view_that_is_opened_later_shows_what_is_being_sent_and_no_edit_and_nothing_that_was_taken_back()
    {
        await using var client = await ClientAsync();
        await client.SendAsync(Lobby, "old").WaitAsync(FaultServer.Patience);
        _isDeaf = true;
        using var cancel = new CancellationTokenSource();
        var edit = client.EditAsync(Lobby, 1, "new");
        var first = client.SendAsync(Lobby, "1");
        var second = client.SendAsync(Lobby, "2", cancellationToken: cancel.Token);

        using var view = client.View(Lobby);
        Assert.Equal(["1", "2"], view.Current.Pending.Select(message => message.Content));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal(["1"], view.Current.Pending.Select(message => message.Content));
        _isDeaf = false;
        await Task.WhenAll(edit, first).WaitAsync(FaultServer.Patience);
    }

    [Fact]
    public async Task A_message_that_the_full_queue_refused_and_one_in_a_room_that_was_left_are_not_lost()
    {
        await using var client = await ClientAsync(options => options with { SendQueueLimit = 1 });
        using var view = client.View(Lobby);
        _isDeaf = true;
        var first = client.SendAsync(Lobby, "1");
        await Assert.ThrowsAsync<ChatException>(() => client.SendAsync(Lobby, "2", "n2"));
        Assert.Equal(
            [(PendingMessageState.Sending, null), (PendingMessageState.Failed, ChatErrorCodes.QueueFull)],
            view.Current.Pending.Select(message => (message.State, message.Error?.Code)));

        // Of those that failed as many stay as may wait.
        await client.LeaveAsync("lobby").WaitAsync(FaultServer.Patience);
        Assert.Equal(ErrorCodes.NotJoined, (await Assert.ThrowsAsync<ChatException>(() => first)).Code);
        var left = Assert.Single(view.Current.Pending);
        Assert.Equal("2", left.Content);
        Assert.Equal(ErrorCodes.NotJoined, (await Assert.ThrowsAsync<ChatException>(() => view.RetryAsync("n2"))).Code);
        Assert.Equal(left, Assert.Single(view.Current.Pending));
    }

    [Fact]
    public async Task An_accepted_message_whose_copy_comes_in_a_page_or_not_at_all_is_no_longer_pending()
    {
        _server.Script.OnHttp = request => request.Path == "/api/conversations" ? 503 : 200;
        await using var client = await ClientAsync();
        _holdsCopies = true;
        using var direct = client.View(Conversation.With("bob"));
        using var room = client.View(Lobby);
        await Task.WhenAll(client.SendAsync(direct.Conversation, "1"), client.SendAsync(Lobby, "2")).WaitAsync(FaultServer.Patience);
        Assert.Single(direct.Current.Pending);
        Assert.Single(room.Current.Pending);

        Assert.Equal(1, await direct.OlderAsync().WaitAsync(FaultServer.Patience));
        Assert.Equal((1, 0), (direct.Current.Messages.Count, direct.Current.Pending.Count));

        _server.Rebuild("r:lobby", lost: 1);
        var now = await UntilAsync(room, snapshot => snapshot.Epoch == _server.Log("r:lobby").Epoch);
        Assert.Equal((0, 0), (now.Messages.Count, now.Pending.Count));
    }

    /// <summary>A client in the lobby that does not look for late events.</summary>
    private async Task<ChatClient> ClientAsync(Func<ChatClientOptions, ChatClientOptions>? with = null)
    {
        var (client, _) = await InLobbyAsync(_server, options => (with?.Invoke(options) ?? options) with
        {
            LateAfter = TimeSpan.FromHours(1),
            AckTimeout = TimeSpan.FromMilliseconds(100),
        });
        return client;
    }

    private static async Task<ConversationSnapshot> UntilAsync(IConversationView view, Func<ConversationSnapshot, bool> condition)
    {
        using var patience = new CancellationTokenSource(FaultServer.Patience);
        await foreach (var snapshot in view.Snapshots(patience.Token))
        {
            if (condition(snapshot))
            {
                return snapshot;
            }
        }

        throw new InvalidOperationException("The view has ended.");
    }
}
