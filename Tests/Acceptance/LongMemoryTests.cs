using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.Tests.Acceptance;

/// <summary>Events older than the tail in Redis can still be replayed and revised, from PostgreSQL.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class LongMemoryTests(ChatSystem system)
{
    [Fact]
    public async Task A_resume_from_before_the_tail_is_replayed_from_the_database_and_then_from_the_tail()
    {
        var (room, alice) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"));
        await using var a = await system.ConnectAsync(alice);
        await FillAsync(a, room, messages: 12);
        await TrimTailAsync(ConversationKey.Room(room), firstKept: 9);

        // This node has no event of the room in memory.
        await using var b = await system.ConnectElsewhereAsync(ChatSystem.Unique("bob"), a.Node);
        await b.JoinAsync(room, since: 3);
        var resumed = await b.ExpectAsync("resumed");

        Assert.Equal((12L, 12L, true), ((long)resumed["seq"]!, (long)resumed["head"]!, (bool)resumed["complete"]!));
        Assert.Equal(Enumerable.Range(4, 9).Select(i => $"m{i}"), b.Contents(room));
    }

    [Fact]
    public async Task A_message_older_than_the_tail_is_edited_and_deleted_by_its_author_only()
    {
        var (room, alice, bob) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = await system.ConnectAsync(alice);
        await using var b = await system.ConnectAsync(bob);
        await b.JoinAsync(room);
        await FillAsync(a, room, messages: 4);
        await TrimTailAsync(ConversationKey.Room(room), firstKept: 4);

        await b.SendAsync(new { type = "edit", room, target = 1, content = "hijacked", nonce = "e1" });
        Assert.Equal(ErrorCodes.Forbidden, (string?)(await b.ExpectAsync("error", frame => (string?)frame["nonce"] == "e1"))["code"]);
        await b.SendAsync(new { type = "react", room, target = 1, emoji = "👍", nonce = "e2" });
        await b.ExpectAckAsync("e2");
        await a.SendAsync(new { type = "edit", room, target = 1, content = "mended", nonce = "e3" });
        await a.ExpectAckAsync("e3");
        await a.SendAsync(new { type = "delete", room, target = 2, nonce = "e4" });
        await a.ExpectAckAsync("e4");
        await b.SendAsync(new { type = "edit", room, target = 99, content = "x", nonce = "e5" });
        Assert.Equal(ErrorCodes.NotFound, (string?)(await b.ExpectAsync("error", frame => (string?)frame["nonce"] == "e5"))["code"]);

        var items = (await system.GetAsync(bob, $"/api/rooms/{room}/messages?after=0"))["items"]!.AsArray();
        Assert.Equal(("mended", 6), ((string?)items[0]!["content"], (int?)items[0]!["edited"]));
        Assert.Equal(("👍", bob), ((string?)items[0]!["reactions"]![0]!["emoji"], (string?)items[0]!["reactions"]![0]!["users"]![0]));
        Assert.Equal(("", true), ((string?)items[1]!["content"], (bool?)items[1]!["deleted"]));
        await ChatSystem.EventuallyAsync(
            () => system.QueryAsync<long>("SELECT count(*) FROM events WHERE conversation = $1 AND content = 'm2'", $"r:{room}"), count => count == 0);
    }

    [Fact]
    public async Task An_edited_and_a_deleted_message_look_the_same_live_on_replay_and_in_history()
    {
        var (room, alice) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"));
        await using var a = await system.ConnectAsync(alice);
        await FillAsync(a, room, messages: 3);
        await a.SendAsync(new { type = "edit", room, target = 1, content = "mended", nonce = "e1" });
        await a.ExpectAckAsync("e1");
        await a.SendAsync(new { type = "delete", room, target = 2, nonce = "e2" });
        await a.ExpectAckAsync("e2");

        await using var b = await system.ConnectElsewhereAsync(ChatSystem.Unique("bob"), a.Node);
        await b.JoinAsync(room, since: 0);
        await b.ExpectAsync("resumed", frame => (bool)frame["complete"]!);

        Assert.Equal(("", true), (b.Contents(room).ElementAt(1), (bool?)b.Received.First(frame => (long?)frame["seq"] == 2 && (string?)frame["type"] == "room")["deleted"]));
        Assert.Equal([1L, 2L], b.Received.Where(frame => frame["target"] is not null).Select(frame => (long)frame["target"]!));
        var mended = (await system.GetAsync(alice, $"/api/rooms/{room}/messages?after=0&limit=1"))["items"]![0]!;
        Assert.Equal(("mended", 4), ((string?)mended["content"], (int?)mended["edited"]));
    }

    private static async Task FillAsync(ChatSocket socket, string room, int messages)
    {
        await socket.JoinAsync(room);
        for (var i = 1; i <= messages; i++)
        {
            await socket.SayAsync(room, $"m{i}");
        }

        await socket.ExpectAsync("durable", frame => (string?)frame["room"] == room && (long)frame["seq"]! == messages);
    }

    /// <summary>Trims the tail as a busy room would in time, so that older events are only in PostgreSQL.</summary>
    private async Task TrimTailAsync(ConversationKey key, long firstKept)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(await system.ConnectionStringAsync("redis"));
        await redis.GetDatabase().StreamTrimByMinIdAsync(RedisKeys.Tail(key), $"{firstKept}-0");
    }
}
