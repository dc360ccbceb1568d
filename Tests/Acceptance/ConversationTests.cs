using System.Text.Json.Nodes;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Acceptance;

[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class ConversationTests(ChatSystem system)
{
    [Fact]
    public async Task Two_users_on_different_nodes_chat_in_a_room_and_their_messages_are_in_the_database()
    {
        var (room, alice, bob) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = await system.ConnectAsync(alice);
        await using var b = await system.ConnectElsewhereAsync(bob, a.Node);
        Assert.NotEqual(a.Node, b.Node);
        Assert.Equal(0, (long?)(await a.JoinAsync(room))["seq"]);
        await b.JoinAsync(room);

        var ack = await a.SayAsync(room, "hello <b>bob</b> 👋", "n-1");
        var atBob = await b.ExpectAsync("room");
        var atAlice = await a.ExpectAsync("room");

        Assert.Equal((1L, alice, "hello <b>bob</b> 👋", room),
            ((long)atBob["seq"]!, (string?)atBob["from"], (string?)atBob["content"], (string?)atBob["room"]));
        Assert.Equal(((string?)ack["id"], (long?)ack["seq"], (string?)ack["timestamp"]),
            ((string?)atBob["id"], (long?)atBob["seq"], (string?)atBob["timestamp"]));
        Assert.Null(atBob["nonce"]);
        Assert.Equal("n-1", (string?)atAlice["nonce"]);
        await ChatSystem.EventuallyAsync(
            () => system.QueryAsync<long>("SELECT count(*) FROM events WHERE conversation = $1 AND sender = $2", $"r:{room}", alice), count => count == 1);
    }

    [Fact]
    public async Task A_direct_message_reaches_all_devices_of_both_users_on_every_node_and_nobody_else()
    {
        var (alice, bob, eve) = (ChatSystem.Unique("alice"), ChatSystem.Unique("bob"), ChatSystem.Unique("eve"));
        await using var a1 = await system.ConnectAsync(alice);
        await using var a2 = await system.ConnectElsewhereAsync(alice, a1.Node);
        await using var b1 = await system.ConnectAsync(bob);
        await using var b2 = await system.ConnectElsewhereAsync(bob, b1.Node);
        await using var e = await system.ConnectAsync(eve);

        var ack = await a1.TellAsync(bob, "psst");

        foreach (var socket in (ChatSocket[])[a1, a2, b1, b2])
        {
            var dm = await socket.ExpectAsync("dm");
            Assert.Equal((1L, alice, bob, "psst"), ((long)dm["seq"]!, (string?)dm["from"], (string?)dm["to"], (string?)dm["content"]));
            Assert.Equal(socket.User == alice, dm["nonce"] is not null);
        }
        Assert.Equal(bob, (string?)ack["to"]);
        await e.SettleAsync();
        Assert.DoesNotContain(e.Received, frame => (string?)frame["type"] == "dm");
    }

    [Fact]
    public async Task A_message_to_a_user_who_is_offline_waits_in_history()
    {
        var (alice, bob) = (ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = await system.ConnectAsync(alice);
        await a.TellAsync(bob, "for later");

        var page = await system.GetAsync(bob, $"/api/dms/{alice}/messages");

        Assert.Equal(["for later"], page["items"]!.AsArray().Select(item => (string)item!["content"]!));
    }

    [Fact]
    public async Task Every_member_sees_one_order_however_many_send_at_once()
    {
        var room = ChatSystem.Unique("room");
        var sockets = new List<ChatSocket>();
        for (var i = 0; i < 6; i++)
        {
            // The gateway fills up the node with the fewest sockets, whoever else has some, so that both are asked for.
            var user = ChatSystem.Unique($"user{i}");
            var socket = i % 2 == 0 ? await system.ConnectAsync(user) : await system.ConnectElsewhereAsync(user, sockets[^1].Node);
            sockets.Add(socket);
            await socket.JoinAsync(room);
        }
        Assert.Equal(2, sockets.Select(socket => socket.Node).Distinct().Count());

        // Twenty messages each are within the burst that every user may send.
        await Task.WhenAll(sockets.Select(async (socket, who) =>
        {
            for (var i = 0; i < 20; i++)
            {
                await socket.SendAsync(new { type = "room", room, content = $"{who}:{i}", nonce = $"n{i}" });
            }
        }));

        foreach (var socket in sockets)
        {
            for (var seq = 1; seq <= 120; seq++)
            {
                await socket.ExpectAsync("room", frame => (long)frame["seq"]! == seq);
            }

            var seqs = socket.Received.Where(frame => (string?)frame["type"] == "room").Select(frame => (long)frame["seq"]!);
            Assert.Equal(Enumerable.Range(1, 120).Select(i => (long)i), seqs);
            Assert.Equal(sockets[0].Contents(room), socket.Contents(room));
            for (var who = 0; who < sockets.Count; who++)
            {
                Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{who}:{i}"), socket.Contents(room).Where(content => content.StartsWith($"{who}:")));
            }

            await socket.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_nonce_repeated_on_another_node_is_answered_with_the_first_ack()
    {
        var (room, alice) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"));
        await using var one = await system.ConnectAsync(alice);
        await using var other = await system.ConnectElsewhereAsync(alice, one.Node);
        await one.JoinAsync(room);
        await other.JoinAsync(room);

        var first = await one.SayAsync(room, "once", "n");
        var again = await other.SayAsync(room, "twice?", "n");

        Assert.Equal(((string?)first["id"], (long?)first["seq"]), ((string?)again["id"], (long?)again["seq"]));
        Assert.Null(first["duplicate"]);
        Assert.True((bool?)again["duplicate"]);
        await one.SettleAsync();
        Assert.Equal(["once"], one.Contents(room));
    }

    [Fact]
    public async Task Leaving_unsubscribes_all_connections_of_the_user_and_only_members_may_send()
    {
        var (room, alice, bob) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a1 = await system.ConnectAsync(alice);
        await using var a2 = await system.ConnectElsewhereAsync(alice, a1.Node);
        await using var b = await system.ConnectAsync(bob);
        await a1.JoinAsync(room);
        await a2.JoinAsync(room);
        await b.JoinAsync(room);

        await a1.SendAsync(new { type = "leave", room, @ref = "l" });

        Assert.Equal("l", (string?)(await a1.ExpectAsync("left"))["ref"]);
        await a2.ExpectAsync("left");
        await b.ExpectAsync("offline", frame => frame["users"]!.AsArray().Any(user => (string?)user == alice));
        await b.SayAsync(room, "are you gone?");
        await b.ExpectAsync("room");
        foreach (var gone in (ChatSocket[])[a1, a2])
        {
            await gone.SendAsync(new { type = "room", room, content = "still here", nonce = "n" });
            Assert.Equal(ErrorCodes.NotJoined, (string?)(await gone.ExpectAsync("error", frame => (string?)frame["nonce"] == "n"))["code"]);
            Assert.Empty(gone.Contents(room));
        }
    }

    [Fact]
    public async Task History_pages_back_in_order_and_has_every_acknowledged_message_at_once()
    {
        var (room, alice) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"));
        await using var a = await system.ConnectAsync(alice);
        await a.JoinAsync(room);
        for (var i = 1; i <= 35; i++)
        {
            await a.SayAsync(room, $"m{i}");
            if (i % 7 == 0)
            {
                var newest = await system.GetAsync(alice, $"/api/rooms/{room}/messages?limit=1");
                Assert.Equal((i, $"m{i}"), ((int)newest["head"]!, (string?)newest["items"]![0]!["content"]));
            }
        }

        var pages = new List<long>();
        JsonNode page = await system.GetAsync(alice, $"/api/rooms/{room}/messages?limit=10");
        while (true)
        {
            pages.AddRange(page["items"]!.AsArray().Select(item => (long)item!["seq"]!));
            if (page["next"] is null)
            {
                break;
            }

            page = await system.GetAsync(alice, $"/api/rooms/{room}/messages?limit=10&before={Uri.EscapeDataString((string)page["next"]!)}");
        }
        var forward = await system.GetAsync(alice, $"/api/rooms/{room}/messages?after=30");

        Assert.Equal(Enumerable.Range(1, 35).Reverse().Select(i => (long)i), pages);
        Assert.Equal([31, 32, 33, 34, 35], forward["items"]!.AsArray().Select(item => (int)item!["seq"]!));
    }
}
