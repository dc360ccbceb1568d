using System.Net;
using System.Text.Json;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Persistence;

[Trait("Needs", "System")]
public sealed class ConversationTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ConversationKey Direct = ConversationKey.Direct("alice", "bob");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Conversations_have_head_cursor_unread_and_last_event_whether_committed_or_not(bool committed)
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await log.Log.JoinAsync("lobby", "alice", CancellationToken.None);
        await log.Log.JoinAsync("left", "alice", CancellationToken.None);
        await log.Log.LeaveAsync("left", "alice", CancellationToken.None);
        await log.Log.JoinAsync("silent", "alice", CancellationToken.None);
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n1", "mine"));
        await log.AppendAsync(PersistenceWorld.Message(Direct, "bob", "d1", "hello alice") with { Timestamp = 1_000 });
        await world.DurableAsync(Lobby, 1);
        await world.DurableAsync(Direct, 1);
        await Eventually.IsTrueAsync(
            async () => await world.QueryAsync<long>("SELECT count(*) FROM members WHERE member = 'alice' AND joined") == 3,
            "memberships are committed");
        var held = committed ? null : await world.HoldCommitsAsync();
        await log.Log.ReadAsync(Lobby, "alice", 1, CancellationToken.None);
        for (var i = 2; i <= 4; i++)
        {
            await log.AppendAsync(PersistenceWorld.Message(Lobby, "bob", $"n{i}", $"text {i}"));
        }

        var reaction = PersistenceWorld.Message(Lobby, "bob", "r") with { Kind = EventKind.React, Target = 1, Emoji = "👍", Content = null };
        await log.AppendAsync(reaction);
        if (committed)
        {
            await world.DurableAsync(Lobby, 5);
        }

        var items = (await service.GetJsonAsync("/api/conversations")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(3, items.Count);
        var lobby = items.Single(item => item.TryGetProperty("room", out var room) && room.GetString() == "lobby");
        Assert.Equal((5, 1, 3), Numbers(lobby));
        var last = lobby.GetProperty("last");
        Assert.Equal(("room", "text 4"), (last.GetProperty("type").GetString(), last.GetProperty("content").GetString()));
        var direct = items.Single(item => item.TryGetProperty("to", out _));
        Assert.Equal("bob", direct.GetProperty("to").GetString());
        Assert.Equal((1, 0, 1), Numbers(direct));
        Assert.Equal("hello alice", direct.GetProperty("last").GetProperty("content").GetString());
        var silent = items.Single(item => item.TryGetProperty("room", out var room) && room.GetString() == "silent");
        Assert.Equal((0, 0, 0), Numbers(silent));
        Assert.Equal(JsonValueKind.Null, silent.GetProperty("last").ValueKind);
        // The most recently active first.
        Assert.Equal("lobby", items[0].GetProperty("room").GetString());
        if (held is not null)
        {
            await held.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_last_message_is_the_newest_that_is_not_deleted_as_it_reads_now(bool committed)
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await log.Log.JoinAsync("lobby", "alice", CancellationToken.None);
        for (var i = 1; i <= 3; i++)
        {
            await log.AppendAsync(PersistenceWorld.Message(Lobby, "bob", $"n{i}", $"text {i}"));
        }

        await world.DurableAsync(Lobby, 3);
        await using (committed ? null : await world.HoldCommitsAsync())
        {
            await log.AppendAsync(PersistenceWorld.Message(Lobby, "bob", "e", "better") with { Kind = EventKind.Edit, Target = 2 });
            await log.AppendAsync(Revision("r", EventKind.React, 2, "👍"));
            Assert.Equal("text 3", (await LastAsync()).GetProperty("content").GetString());
            await log.AppendAsync(Revision("d3", EventKind.Delete, 3));
            if (committed)
            {
                await world.DurableAsync(Lobby, 6);
            }

            var last = await LastAsync();
            Assert.Equal((2, "better", 4), (last.GetProperty("seq").GetInt64(), last.GetProperty("content").GetString(), last.GetProperty("edited").GetInt64()));
            Assert.Equal("👍", Assert.Single(last.GetProperty("reactions").EnumerateArray()).GetProperty("emoji").GetString());
            await log.AppendAsync(Revision("d2", EventKind.Delete, 2));
            await log.AppendAsync(Revision("d1", EventKind.Delete, 1));
            if (committed)
            {
                await world.DurableAsync(Lobby, 8);
            }

            Assert.Equal(JsonValueKind.Null, (await LastAsync()).ValueKind);
        }

        async Task<JsonElement> LastAsync() =>
            Assert.Single((await service.GetJsonAsync("/api/conversations")).GetProperty("items").EnumerateArray()).GetProperty("last");

        static ConversationEvent Revision(string nonce, EventKind kind, long target, string? emoji = null) =>
            PersistenceWorld.Message(Lobby, "bob", nonce) with { Kind = kind, Target = target, Emoji = emoji, Content = null };
    }

    [Fact]
    public async Task Conversations_are_ordered_and_paged_by_their_last_message_and_not_by_what_happens_to_old_ones()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        for (var i = 1; i <= 5; i++)
        {
            var room = ConversationKey.Room($"room{i}");
            await log.Log.JoinAsync(room.RoomId, "alice", CancellationToken.None);
            await log.AppendAsync(PersistenceWorld.Message(room, "bob", "n") with { Timestamp = 1_767_225_600_000 + i });
        }

        var oldest = ConversationKey.Room("room1");
        await log.AppendAsync(PersistenceWorld.Message(oldest, "bob", "e", "edited") with { Kind = EventKind.Edit, Target = 1 });
        var newest = ConversationKey.Room("room5");
        await log.AppendAsync(PersistenceWorld.Message(newest, "bob", "d") with { Kind = EventKind.Delete, Target = 1, Content = null });
        await world.DurableAsync(oldest, 2);
        await world.DurableAsync(newest, 2);
        for (var i = 2; i <= 4; i++)
        {
            await world.DurableAsync(ConversationKey.Room($"room{i}"), 1);
        }

        var (seen, next) = (new List<string?>(), "");
        do
        {
            var page = await service.GetJsonAsync($"/api/conversations?limit=2{next}");
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("room").GetString()));
            next = page.GetProperty("next").GetString() is { } after ? "&after=" + after : null;
        }
        while (next is not null);

        // A room whose only message was deleted has none.
        Assert.Equal(["room4", "room3", "room2", "room1", "room5"], seen);
    }

    [Fact]
    public async Task After_a_loss_of_Redis_the_last_event_comes_from_the_database()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await log.AppendAsync(PersistenceWorld.Message(Direct, "bob", "d1", "hello alice"));
        await world.DurableAsync(Direct, 1);
        await world.RedisServer.WipeAsync();
        await world.OpenedAsync();
        await Eventually.IsTrueAsync(
            async () =>
            {
                using var answer = await service.GetAsync("/api/conversations");
                return answer.IsSuccessStatusCode;
            },
            "the service has its Redis again");
        var direct = Assert.Single((await service.GetJsonAsync("/api/conversations")).GetProperty("items").EnumerateArray());
        Assert.Equal("hello alice", direct.GetProperty("last").GetProperty("content").GetString());
        Assert.Equal((1, 0, 1), Numbers(direct));
    }

    [Fact]
    public async Task Members_are_paged_in_order_with_cursor_and_presence()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        string[] users = ["Zed", "alice", "bob", "carol", "dave"];
        foreach (var user in users.Reverse())
        {
            await log.Log.JoinAsync("lobby", user, CancellationToken.None);
        }

        await log.Log.LeaveAsync("lobby", "carol", CancellationToken.None);
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n1"));
        await log.Log.ReadAsync(Lobby, "bob", 1, CancellationToken.None);
        await world.Database.SetAddAsync(RedisKeys.RoomOnline("lobby"), "alice");

        var first = await service.GetJsonAsync("/api/rooms/lobby/members?limit=2");
        Assert.Equal(
            """[{"user":"Zed","online":false,"read":0,"role":"member"},{"user":"alice","online":true,"read":0,"role":"member"}]""",
            first.GetProperty("items").GetRawText());
        Assert.Equal("alice", first.GetProperty("next").GetString());
        var second = await service.GetJsonAsync("/api/rooms/lobby/members?limit=2&after=alice");
        Assert.Equal(
            """[{"user":"bob","online":false,"read":1,"role":"member"},{"user":"dave","online":false,"read":0,"role":"owner"}]""",
            second.GetProperty("items").GetRawText());
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);
        using var nobody = await service.GetAsync("/api/rooms/nobody/members");
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
    }

    private static (long Head, long Read, long Unread) Numbers(JsonElement item) =>
        (item.GetProperty("head").GetInt64(), item.GetProperty("read").GetInt64(), item.GetProperty("unread").GetInt64());
}
