using System.Text.Json.Nodes;
using AspireChat.Client;
using AspireChat.Contracts.Frames;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

public sealed class SendingTests
{
    [Theory]
    [InlineData(ErrorCodes.Unavailable)]
    [InlineData(ErrorCodes.RateLimited)]
    public async Task A_send_that_is_refused_for_a_moment_is_repeated_with_its_nonce_after_the_time_the_server_names(string code)
    {
        await using var server = await FaultServer.StartAsync();
        var refusals = 0;
        var clock = TimeProvider.System;
        long refusedAt = 0;
        TimeSpan? waited = null;
        server.Script.OnFrame = (socket, frame) =>
        {
            if ((string)frame["type"]! != "room")
            {
                return false;
            }

            if (refusals++ > 0)
            {
                waited ??= clock.GetElapsedTime(refusedAt);
                return false;
            }
            refusedAt = clock.GetTimestamp();
            socket.Say(Error(code, frame, retryAfter: 400));
            return true;
        };
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;

        var accepted = await client.SendAsync(Lobby, "hello").WaitAsync(FaultServer.Patience);

        Assert.Equal((1, false), (accepted.Seq, accepted.Duplicate));
        Assert.True(waited >= TimeSpan.FromMilliseconds(390), $"waited {waited}");
        Assert.Equal([accepted.Nonce, accepted.Nonce],
            socket.Received.Where(f => (string?)f["type"] == "room").Select(f => (string)f["nonce"]!));
    }

    [Fact]
    public async Task A_lost_acknowledgement_comes_as_a_duplicate_and_the_message_is_there_once()
    {
        await using var server = await FaultServer.StartAsync();
        var lost = false;
        server.Script.OnSay = (socket, frame) =>
        {
            // Neither the ack nor the sender's copy gets through, and the connection is lost.
            if (lost || (frame["id"] is null && (string?)frame["type"] != "ack"))
            {
                return [frame];
            }

            lost = true;
            socket.IsMute = true;
            socket.Cut();
            return [];
        };
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        await using var listener = new Listener(client);

        var accepted = await client.SendAsync(Lobby, "hello").WaitAsync(FaultServer.Patience);
        await listener.EventAsync(Lobby, 1);

        Assert.Equal(1, accepted.Seq);
        Assert.Equal(1, server.Log("r:lobby").Head);
        Assert.Equal(["hello"], listener.Contents(Lobby));
    }

    [Fact]
    public async Task An_acknowledgement_that_comes_twice_or_for_an_unknown_send_is_harmless()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnSay = (_, frame) => (string?)frame["type"] == "ack" ? [frame, frame, With(frame, "nonce", "unknown")] : [frame];
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;

        var first = await client.SendAsync(Lobby, "1").WaitAsync(FaultServer.Patience);
        var second = await client.SendAsync(Lobby, "2").WaitAsync(FaultServer.Patience);

        Assert.Equal((1, 2), (first.Seq, second.Seq));
    }

    [Fact]
    public async Task Without_an_answer_the_send_is_repeated_on_the_same_connection()
    {
        await using var server = await FaultServer.StartAsync();
        var frames = 0;
        server.Script.OnFrame = (_, frame) => (string)frame["type"]! == "room" && frames++ == 0;
        var (client, socket) = await InLobbyAsync(server, options => options with { AckTimeout = TimeSpan.FromMilliseconds(100) });
        await using var _ = client;

        var accepted = await client.SendAsync(Lobby, "hello").WaitAsync(FaultServer.Patience);

        Assert.Equal(1, accepted.Seq);
        Assert.Equal(2, socket.Received.Count(f => (string?)f["type"] == "room"));
    }

    [Fact]
    public async Task Sends_keep_the_order_of_the_calls_although_every_third_is_refused_and_every_seventh_cuts_the_connection()
    {
        await using var server = await FaultServer.StartAsync();
        var frames = 0;
        server.Script.OnFrame = (socket, frame) =>
        {
            if ((string)frame["type"]! != "room")
            {
                return false;
            }

            frames++;
            if (frames % 7 == 0)
            {
                socket.Cut();
            }
            else if (frames % 3 == 0)
            {
                socket.Say(Error(ErrorCodes.Unavailable, frame, retryAfter: 1));
            }

            return frames % 7 == 0 || frames % 3 == 0;
        };
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;

        var sends = Enumerable.Range(1, 50).Select(i => client.SendAsync(Lobby, $"{i}")).ToList();
        var accepted = await Task.WhenAll(sends).WaitAsync(FaultServer.Patience);

        Assert.Equal(SocketFaultTests.Range(1, 50), accepted.Select(a => a.Seq));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => $"{i}"), server.Log("r:lobby").Events.Select(e => (string)e["content"]!));
    }

    [Fact]
    public async Task Many_sends_under_way_at_once_keep_their_order_over_lost_connections()
    {
        await using var server = await FaultServer.StartAsync();
        var frames = 0;
        server.Script.OnFrame = (socket, frame) =>
        {
            if ((string)frame["type"]! == "room" && ++frames % 23 == 0)
            {
                socket.IsMute = true;
                socket.Cut();
            }
            return socket.IsMute;
        };
        var (client, _) = await InLobbyAsync(server, options => options with { SendsInFlight = 16 });
        await using var __ = client;

        var accepted = await Task.WhenAll(Enumerable.Range(1, 100).Select(i => client.SendAsync(Lobby, $"{i}")))
            .WaitAsync(FaultServer.Patience);

        Assert.Equal(SocketFaultTests.Range(1, 100), accepted.Select(a => a.Seq));
        Assert.Equal(100, server.Log("r:lobby").Head);
    }

    [Fact]
    public async Task A_final_refusal_fails_that_send_only()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnFrame = (socket, frame) =>
        {
            if ((string?)frame["content"] != "bad")
            {
                return false;
            }

            socket.Say(Error(ErrorCodes.Forbidden, frame));
            return true;
        };
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;

        var bad = client.SendAsync(Lobby, "bad");
        var good = client.SendAsync(Lobby, "good");

        Assert.Equal(ErrorCodes.Forbidden, (await Assert.ThrowsAsync<ChatException>(() => bad)).Code);
        Assert.Equal(1, (await good).Seq);
    }

    [Fact]
    public async Task A_room_that_the_server_forgot_is_joined_again_and_the_send_succeeds()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        lock (server.Gate)
        {
            socket.Rooms.Clear();
        }

        var accepted = await client.SendAsync(Lobby, "hello").WaitAsync(FaultServer.Patience);

        Assert.Equal(1, accepted.Seq);
    }

    [Fact]
    public async Task A_send_to_a_room_that_is_not_joined_or_was_left_fails_at_once()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        await using var listener = new Listener(client);

        var other = Conversation.Room("other");
        Assert.Equal(ErrorCodes.NotJoined, (await Assert.ThrowsAsync<ChatException>(() => client.SendAsync(other, "x"))).Code);
        await client.LeaveAsync("lobby").WaitAsync(FaultServer.Patience);
        Assert.Equal(ErrorCodes.NotJoined, (await Assert.ThrowsAsync<ChatException>(() => client.SendAsync(Lobby, "x"))).Code);
        await listener.ItemAsync<RoomLeft>();
    }

    [Fact]
    public async Task The_queue_is_bounded_and_a_cancelled_send_makes_space_and_is_never_sent()
    {
        await using var server = await FaultServer.StartAsync();
        await using var client = new ChatClient(Options(server) with { SendQueueLimit = 2 });
        var bob = Conversation.With("bob");
        using var cancel = new CancellationTokenSource();

        var first = client.SendAsync(bob, "first", cancellationToken: cancel.Token);
        var second = client.SendAsync(bob, "second", nonce: "n-2");
        Assert.Equal(ChatErrorCodes.QueueFull, (await Assert.ThrowsAsync<ChatException>(() => client.SendAsync(bob, "third"))).Code);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAsync<ArgumentException>(() => client.SendAsync(bob, "third", nonce: "n-2"));
        var third = client.SendAsync(bob, "third");
        await client.ConnectAsync();

        Assert.Equal((1, 2), ((await second).Seq, (await third).Seq));
        Assert.Equal(["second", "third"], server.Log("d:alice:bob").Events.Select(e => (string)e["content"]!));
    }

    [Fact]
    public async Task Text_that_the_server_would_refuse_is_refused_at_once()
    {
        await using var server = await FaultServer.StartAsync();
        await using var client = new ChatClient(Options(server));

        foreach (var text in (string[])["", "a\0b", "lone \ud83d", "\udc4d lone", "\ud83d\ud83d\udc4d"])
        {
            await Assert.ThrowsAsync<ArgumentException>(() => client.SendAsync(Conversation.With("bob"), text));
        }

        await Assert.ThrowsAsync<ArgumentException>(() => client.SendAsync(Conversation.With("bob"), new string('x', 8_001)));
        await Assert.ThrowsAsync<ArgumentException>(() => client.SendAsync(default, "x"));
        Assert.Equal(0, client.Unacknowledged);
    }

    [Fact]
    public async Task Durable_is_told_when_the_database_has_the_event_and_fails_with_the_log()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);
        var first = await client.SendAsync(Lobby, "1");
        var second = await client.SendAsync(Lobby, "2");
        var third = await client.SendAsync(Lobby, "3");
        var (one, two, three) = (client.WhenDurableAsync(first), client.WhenDurableAsync(second), client.WhenDurableAsync(third));

        socket.Say(new JsonObject { ["type"] = "durable", ["room"] = "lobby", ["seq"] = 2 });
        await Task.WhenAll(one, two).WaitAsync(FaultServer.Patience);
        Assert.False(three.IsCompleted);
        await listener.EventAsync(Lobby, 3);
        server.Rebuild("r:lobby", lost: 1);

        Assert.Equal(ChatErrorCodes.EpochChanged, (await Assert.ThrowsAsync<ChatException>(() => three.WaitAsync(FaultServer.Patience))).Code);
    }

    [Fact]
    public async Task Calls_that_wait_when_the_client_is_disposed_fail_and_say_so()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnFrame = (_, frame) => (string)frame["type"]! is "room" or "join" && (string)frame["room"]! != "lobby"
            || (string?)frame["content"] == "x";
        var (client, _) = await InLobbyAsync(server);
        var listener = new Listener(client);
        var (send, join) = (client.SendAsync(Lobby, "x"), client.JoinAsync("other"));

        await client.DisposeAsync().AsTask().WaitAsync(FaultServer.Patience);

        Assert.Equal(ChatErrorCodes.Closed, (await Assert.ThrowsAsync<ChatException>(() => send)).Code);
        Assert.Equal(ChatErrorCodes.Closed, (await Assert.ThrowsAsync<ChatException>(() => join)).Code);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.SendAsync(Lobby, "y"));
        await listener.Completion.WaitAsync(FaultServer.Patience);
        Assert.Equal(ChatConnectionState.Closed, Assert.IsType<ChatConnectionChanged>(listener.Items[^1]).State);
        await listener.DisposeAsync();
    }

    private static JsonObject Error(string code, JsonObject frame, int? retryAfter = null)
    {
        var error = new JsonObject { ["type"] = "error", ["code"] = code, ["message"] = "scripted", ["nonce"] = (string)frame["nonce"]! };
        if (retryAfter is not null)
        {
            error["retryAfter"] = retryAfter;
        }

        return error;
    }

    private static JsonObject With(JsonObject frame, string field, string value)
    {
        var other = frame.DeepClone().AsObject();
        other[field] = value;
        return other;
    }
}
