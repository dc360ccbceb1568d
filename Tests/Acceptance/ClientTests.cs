using System.Collections.Concurrent;
using AspireChat.Client;
using AspireChat.Contracts.Frames;
using AspireChat.Tests.Client;

namespace AspireChat.Tests.Acceptance;

/// <summary>The client library against the real system. Its own tests use a scripted server.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class ClientTests(ChatSystem system) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>The parts that a test has broken work again before the next test begins.</summary>
    public Task DisposeAsync() => system.RecoveredAsync();

    [Fact]
    public async Task Two_clients_chat_in_a_room_and_directly_and_what_they_sent_becomes_durable()
    {
        var (room, alice, bob) = (Conversation.Room(ChatSystem.Unique("room")), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = Of(alice);
        await using var b = Of(bob);
        await using var atAlice = new Listener(a);
        await using var atBob = new Listener(b);
        await a.ConnectAsync().WaitAsync(ChatSocket.Patience);
        await b.ConnectAsync().WaitAsync(ChatSocket.Patience);
        Assert.Equal(0, (await a.JoinAsync(room.RoomId!)).Head);
        await b.JoinAsync(room.RoomId!);

        var first = await a.SendAsync(room, "hello <b>bob</b> 👋");
        await b.SendAsync(room, "hello alice");
        await a.EditAsync(room, first.Seq, "hello bob");
        var reaction = await b.ReactAsync(room, first.Seq, "👍");
        var told = await a.SendAsync(Conversation.With(bob), "psst");
        await a.WhenDurableAsync(told).WaitAsync(ChatSocket.Patience);
        await b.WhenDurableAsync(reaction).WaitAsync(ChatSocket.Patience);
        await atAlice.EventAsync(room, 4);
        await atBob.EventAsync(room, 4);
        await atBob.EventAsync(Conversation.With(alice), 1);

        Assert.Equal([1, 2, 3, 4], atAlice.Seqs(room));
        Assert.Equal([1, 2, 3, 4], atBob.Seqs(room));
        Assert.Equal(["psst"], atBob.Contents(Conversation.With(alice)));
        var page = await b.HistoryAsync(room, after: "0");
        var message = Assert.IsType<MessageSent>(page.Items[0]);
        Assert.Equal(("hello bob", 3L, "👍"), (message.Content, message.Edited, message.Reactions.Single().Emoji));
        Assert.Contains(await a.ConversationsAsync(), c => c.Conversation == Conversation.With(bob) && c.Head == 1);
    }

    [Fact]
    public async Task What_a_message_carries_and_signals_pass_through_and_search_finds_it_over_the_gateway()
    {
        var (room, alice, bob) = (Conversation.Room(ChatSystem.Unique("room")), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = Of(alice);
        await using var b = Of(bob);
        await using var atBob = new Listener(b);
        await a.ConnectAsync().WaitAsync(ChatSocket.Patience);
        await b.ConnectAsync().WaitAsync(ChatSocket.Patience);
        await a.JoinAsync(room.RoomId!);
        await b.JoinAsync(room.RoomId!);
        var word = "needle" + Guid.NewGuid().ToString("N");

        var first = await a.SendAsync(room, "first");
        var options = new ChatMessageOptions { ReplyTo = first.Seq, Mentions = [bob], Meta = """{"size":1.50}""" };
        var sent = await a.SendAsync(room, $"a {word} for @bob", options);
        await a.EditAsync(room, sent.Seq, $"the {word} for @bob", new ChatMessageOptions { Meta = """{"size":2}""" });
        await atBob.EventAsync(room, 3);
        a.Signal(room, "cursor", """{"x":1}""");
        var signal = await atBob.ItemAsync<SignalReceived>(_ => true);

        Assert.Equal((room, alice, "cursor", """{"x":1}"""), (signal.Conversation, signal.From, signal.Name, signal.Data));
        var message = Assert.IsType<MessageSent>((await b.HistoryAsync(room)).Items[1]);
        Assert.Equal((first.Seq, """{"size":2}"""), (message.ReplyTo, message.Meta));
        Assert.Equal([bob], message.Mentions);
        Assert.Equal((2, 1), (await b.ConversationsAsync()).Where(c => c.Conversation == room).Select(c => (c.Unread, c.Mentions)).Single());
        var found = await ChatSystem.EventuallyAsync(
            () => system.GetAsync(bob, $"/api/search?q={word}"), page => page["items"]!.AsArray() is [var item] && (long?)item!["edited"] is 3);
        Assert.Equal($"the {word} for @bob", (string?)found["items"]![0]!["content"]);
    }

    [Fact]
    [Trait("Needs", "AppHost")]
    public async Task Killing_the_replicas_one_after_the_other_loses_doubles_and_swaps_no_message_for_clients_of_both_libraries()
    {
        var room = Conversation.Room(ChatSystem.Unique("room"));
        var users = Enumerable.Range(0, 4).Select(i => ChatSystem.Unique($"user{i}")).ToList();
        var clients = users.Select(user => Of(user)).ToList();
        var listeners = clients.Select(client => new Listener(client)).ToList();
        foreach (var client in clients)
        {
            await client.ConnectAsync().WaitAsync(ChatSocket.Patience);
            await client.JoinAsync(room.RoomId!).WaitAsync(ChatSocket.Patience);
        }
        // One of the JavaScript library is with them.
        await using var node = await NodeParticipant.StartAsync(system.Gateway, ChatSystem.Unique("erin"), room.RoomId!, speed: 1);
        using var enough = new CancellationTokenSource();
        var sent = new ConcurrentBag<(string User, int Number, SendReceipt Accepted)>();
        var senders = clients.Select((client, i) => SendAsync(client, room, users[i], sent, enough.Token)).ToList();
        var nodeSender = SendAsync(node, enough.Token);

        foreach (var replica in system.Host.Instances("connection"))
        {
            await system.KillAsync(replica);
            var count = sent.Count;
            await ChatSystem.EventuallyAsync(() => Task.FromResult(sent.Count), now => now >= count + 40);
            await system.StartAsync(replica);
        }
        await enough.CancelAsync();
        await Task.WhenAll(senders).WaitAsync(ChatSocket.Patience);
        var numbersOfNode = await nodeSender.WaitAsync(ChatSocket.Patience);
        var sentByNode = await node.EndAsync();

        var head = sent.Select(send => send.Accepted).Concat(sentByNode).Max(accepted => accepted.Seq);
        foreach (var listener in listeners)
        {
            await listener.EventAsync(room, head);
            Assert.Equal(SocketFaultTests.Range(1, head), listener.Seqs(room));
            Assert.Empty(listener.Items.OfType<ConversationReset>());
        }
        await node.UntilAsync(items => items.OfType<ChatEvent>().Any(e => e.Seq == head), $"the JavaScript client has seq {head}");
        Assert.Equal(SocketFaultTests.Range(1, head), node.Items.OfType<ChatEvent>().Select(e => e.Seq));
        Assert.Equal((head, numbersOfNode), ((long)sent.Count + sentByNode.Count, sentByNode.Count));
        Assert.Equal(sentByNode.Select(accepted => accepted.Seq).Order(), sentByNode.Select(accepted => accepted.Seq));
        foreach (var user in users)
        {
            var numbers = listeners[0].Items.OfType<MessageSent>().Where(e => e.From == user).Select(e => int.Parse(e.Content, null));
            Assert.Equal(Enumerable.Range(0, sent.Count(send => send.User == user)), numbers);
        }
        Assert.Contains(listeners,
            listener => listener.Items.OfType<ChatConnectionChanged>().Any(c => c.State == ChatConnectionState.Reconnecting));
        foreach (var listener in listeners)
        {
            await listener.DisposeAsync();
        }

        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_client_goes_on_where_an_earlier_one_stopped()
    {
        var (room, alice, bob) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var b = Of(bob);
        await b.ConnectAsync().WaitAsync(ChatSocket.Patience);
        await b.JoinAsync(room);
        ConversationCursor inRoom, direct;
        await using (var a = Of(alice))
        {
            await using var listener = new Listener(a);
            await a.ConnectAsync().WaitAsync(ChatSocket.Patience);
            await a.JoinAsync(room);
            await b.SendAsync(Conversation.Room(room), "1");
            await b.SendAsync(Conversation.With(alice), "1");
            inRoom = (await listener.ItemAsync<ChatEvent>(e => e.Conversation == Conversation.Room(room))).Cursor;
            // The first events of a direct conversation may come before the log's epoch is known. A cursor works without it.
            direct = (await listener.ItemAsync<ChatEvent>(e => e.Conversation == Conversation.With(bob))).Cursor;
        }
        for (var i = 2; i <= 30; i++)
        {
            await b.SendAsync(Conversation.Room(room), $"{i}");
            await b.SendAsync(Conversation.With(alice), $"{i}");
        }

        await using var again = Of(alice);
        await using var atAlice = new Listener(again);
        await again.ConnectAsync().WaitAsync(ChatSocket.Patience);
        again.Follow(bob, direct);
        await again.JoinAsync(room, inRoom).WaitAsync(ChatSocket.Patience);
        await atAlice.EventAsync(Conversation.Room(room), 30);
        await atAlice.EventAsync(Conversation.With(bob), 30);

        Assert.Equal(SocketFaultTests.Range(2, 30), atAlice.Seqs(Conversation.Room(room)));
        Assert.Equal(SocketFaultTests.Range(2, 30), atAlice.Seqs(Conversation.With(bob)));
    }

    [Fact]
    public async Task A_token_that_is_about_to_expire_is_renewed_over_the_same_connection()
    {
        var (room, alice) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"));
        await using var a = Of(alice, expiresIn: 12);
        await using var listener = new Listener(a);
        await a.ConnectAsync().WaitAsync(ChatSocket.Patience);
        await a.JoinAsync(room);
        var start = TimeProvider.System.GetTimestamp();

        await ChatSystem.EventuallyAsync(
            () => Task.FromResult(TimeProvider.System.GetElapsedTime(start)), elapsed => elapsed > TimeSpan.FromSeconds(14));
        await a.SendAsync(Conversation.Room(room), "still here").WaitAsync(ChatSocket.Patience);

        Assert.DoesNotContain(listener.Items.OfType<ChatConnectionChanged>(), change => change.State == ChatConnectionState.Reconnecting);
    }

    [Fact]
    public async Task A_user_whom_an_operator_disconnects_stays_away()
    {
        var alice = ChatSystem.Unique("alice");
        await using var a = Of(alice);
        await using var listener = new Listener(a);
        await a.ConnectAsync().WaitAsync(ChatSocket.Patience);

        var (status, _) = await system.CallAsync(
            ChatSystem.Unique("admin"), HttpMethod.Post, $"/api/admin/users/{alice}/disconnect", scope: "chat:admin");
        await listener.Completion.WaitAsync(ChatSocket.Patience);

        Assert.InRange(status, 200, 299);
        Assert.Equal(CloseCodes.Forbidden, Assert.IsType<ChatConnectionChanged>(listener.Items[^1]).CloseCode);
    }

    private ChatClient Of(string user, int? expiresIn = null) => new(new ChatClientOptions
    {
        Gateway = system.Gateway,
        TokenProvider = async _ => await system.TokenAsync(user, expiresIn: expiresIn),
    });

    /// <summary>Returns how many it sent.</summary>
    private static async Task<int> SendAsync(NodeParticipant node, CancellationToken enough)
    {
        var count = 0;
        for (; !enough.IsCancellationRequested; count++)
        {
            await node.SendAsync($"{count}");
            await Task.Delay(TimeSpan.FromMilliseconds(60), TimeProvider.System, CancellationToken.None);
        }

        return count;
    }

    private static async Task SendAsync(
        ChatClient client, Conversation room, string user, ConcurrentBag<(string, int, SendReceipt)> sent, CancellationToken enough)
    {
        for (var i = 0; !enough.IsCancellationRequested; i++)
        {
            sent.Add((user, i, await client.SendAsync(room, $"{i}", cancellationToken: CancellationToken.None)));
            // Below the rate limit of 20 a second, so that only faults delay messages.
            await Task.Delay(TimeSpan.FromMilliseconds(60), TimeProvider.System, CancellationToken.None);
        }
    }
}
