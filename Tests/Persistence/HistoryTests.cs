using System.Net;
using System.Text.Json;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Persistence;

[Trait("Needs", "System")]
public sealed class HistoryTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    [Fact]
    public async Task Every_acknowledged_event_is_in_the_history_at_once()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        for (var i = 1; i <= 30; i++)
        {
            var ack = await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}", $"text {i}"));
            var page = await service.GetJsonAsync("/api/rooms/lobby/messages?limit=3");
            Assert.Equal(i, page.GetProperty("head").GetInt64());
            var first = page.GetProperty("items")[0];
            Assert.Equal(i, first.GetProperty("seq").GetInt64());
            Assert.Equal($"text {i}", first.GetProperty("content").GetString());
            Assert.Equal(ack.Epoch, page.GetProperty("epoch").GetString());
        }
        await world.DurableAsync(Lobby, 30);
        Assert.Equal(30, await world.QueryAsync<long>("SELECT count(*) FROM events"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    public async Task Paging_covers_all_events_once_whether_committed_or_not(int nearHead)
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync(settings => settings["History:NearHead"] = $"{nearHead}");
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await AppendAsync(log, 1, 60);
        await world.DurableAsync(Lobby, 60);
        await using (await world.HoldCommitsAsync())
        {
            await AppendAsync(log, 61, 100);
            foreach (var limit in (int[])[7, 50, 100, 200])
            {
                var expected = Enumerable.Range(1, 100).Select(i => (long)i).ToList();
                Assert.Equal(expected, await PageAsync(service, "after=0", "after", limit));
                expected.Reverse();
                Assert.Equal(expected, await PageAsync(service, "", "before", limit));
            }
            Assert.Equal([59, 58], await PageOnceAsync(service, "before=60&limit=2"));
            Assert.Equal([62, 61, 60, 59], await PageOnceAsync(service, "before=63&limit=4"));
            Assert.Equal([59, 60, 61, 62], await PageOnceAsync(service, "after=58&limit=4"));
            Assert.Equal([100], await PageOnceAsync(service, "after=99"));
            Assert.Empty(await PageOnceAsync(service, "after=100"));
            Assert.Empty(await PageOnceAsync(service, "after=999999999999999999"));
            Assert.Empty(await PageOnceAsync(service, "before=0"));
            Assert.Empty(await PageOnceAsync(service, "before=1"));
            Assert.Equal([100, 99], await PageOnceAsync(service, "before=999999999999999999&limit=2"));
        }
    }

    [Theory]
    [InlineData("before=-1")]
    [InlineData("after=-1")]
    [InlineData("limit=-1")]
    [InlineData("limit=0")]
    [InlineData("before=abc")]
    [InlineData("after=1.5")]
    [InlineData("limit=+5")]
    [InlineData("before=")]
    [InlineData("before=1&after=2")]
    [InlineData("before=1&before=2")]
    [InlineData("before=99999999999999999999")]
    public async Task Parameters_that_make_no_sense_are_refused_as_problem_details(string query)
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        using var answer = await service.GetAsync($"/api/rooms/lobby/messages?{query}");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Ids_tokens_and_rooms_that_never_were()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        string[] paths = ["/api/rooms/no%20room/messages", "/api/dms/b%C3%A4r/messages", $"/api/rooms/{new string('a', 65)}/members"];
        foreach (var path in paths)
        {
            using var invalid = await service.GetAsync(path);
            Assert.Equal(HttpStatusCode.BadRequest, invalid.StatusCode);
        }
        using var anonymous = await service.GetAsync("/api/rooms/lobby/messages", user: null);
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);

        using var nowhere = await service.GetAsync("/api/rooms/never-was/messages");
        Assert.Equal(HttpStatusCode.NotFound, nowhere.StatusCode);
        var nothing = await service.GetJsonAsync("/api/dms/never-was/messages");
        Assert.Empty(nothing.GetProperty("items").EnumerateArray());
        Assert.Equal(0, nothing.GetProperty("head").GetInt64());
        Assert.Equal(JsonValueKind.Null, nothing.GetProperty("next").ValueKind);
        Assert.Equal(
            (string?)await world.Database.StringGetAsync(RedisKeys.Epoch(ConversationKey.Direct("alice", "never-was").Partition)),
            nothing.GetProperty("epoch").GetString());
    }

    [Fact]
    public async Task A_page_holds_fifty_unless_asked_and_never_more_than_two_hundred()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await AppendAsync(await world.StartLogAsync(), 1, 210);
        Assert.Equal(50, (await PageOnceAsync(service, "")).Count);
        Assert.Equal(200, (await PageOnceAsync(service, "limit=1000")).Count);
        Assert.Equal(50, (await PageOnceAsync(service, "after=10")).Count);
    }

    [Fact]
    public async Task A_direct_conversation_is_the_same_for_both_and_closed_to_others()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        var direct = ConversationKey.Direct("alice", "bob");
        await log.AppendAsync(PersistenceWorld.Message(direct, "alice", "secret nonce", "hi bob"));
        await log.AppendAsync(PersistenceWorld.Message(direct, "bob", "other nonce", "hi alice"));
        var alice = (await service.GetJsonAsync("/api/dms/bob/messages", "alice")).GetProperty("items");
        var bob = (await service.GetJsonAsync("/api/dms/alice/messages", "bob")).GetProperty("items");
        var mallory = (await service.GetJsonAsync("/api/dms/bob/messages", "mallory")).GetProperty("items");
        Assert.Equal(2, alice.GetArrayLength());
        Assert.Equal(2, bob.GetArrayLength());
        Assert.Equal(0, mallory.GetArrayLength());
        // "to" is the addressee for both sides; a nonce is only its sender's business.
        Assert.Equal("bob", bob[1].GetProperty("to").GetString());
        Assert.Equal("alice", bob[0].GetProperty("to").GetString());
        Assert.Equal("dm", bob[0].GetProperty("type").GetString());
        Assert.True(alice[1].TryGetProperty("nonce", out _));
        Assert.False(alice[0].TryGetProperty("nonce", out _));
        Assert.False(bob[1].TryGetProperty("nonce", out _));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("messages")]
    [InlineData("all")]
    public async Task What_became_of_a_message_shows_whether_it_is_committed_or_not(string committed)
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync(settings => settings["History:NearHead"] = "0");
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        var held = committed == "none" ? await world.HoldCommitsAsync() : null;
        await AppendAsync(log, 1, 4);
        if (committed == "messages")
        {
            await world.DurableAsync(Lobby, 4);
            held = await world.HoldCommitsAsync();
        }
        await AppendAsync(log, Later("e1", EventKind.Edit, 1, content: "better"));
        await AppendAsync(log, Later("e2", EventKind.Edit, 1, content: "best"));
        await AppendAsync(log, Later("e3", EventKind.Edit, 2, content: "soon gone"));
        await AppendAsync(log, Later("d1", EventKind.Delete, 2));
        await AppendAsync(log, Later("r1", EventKind.React, 4, emoji: "👍") with { From = "bob" });
        await AppendAsync(log, Later("r2", EventKind.React, 4, emoji: "🎉") with { From = "carol" });
        await AppendAsync(log, Later("r3", EventKind.React, 4, emoji: "👍") with { From = "carol" });
        await AppendAsync(log, Later("r4", EventKind.React, 4, emoji: "🎉") with { From = "carol", Remove = true });
        if (committed == "all")
        {
            await world.DurableAsync(Lobby, 12);
        }

        var page = await service.GetJsonAsync("/api/rooms/lobby/messages?after=0");
        var items = page.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(12, items.Count);
        Assert.Equal("best", items[0].GetProperty("content").GetString());
        Assert.Equal(6, items[0].GetProperty("edited").GetInt64());
        Assert.Equal("", items[1].GetProperty("content").GetString());
        Assert.True(items[1].GetProperty("deleted").GetBoolean());
        Assert.Equal("text 3", items[2].GetProperty("content").GetString());
        Assert.False(items[2].TryGetProperty("deleted", out _));
        var reaction = Assert.Single(items[3].GetProperty("reactions").EnumerateArray());
        Assert.Equal("👍", reaction.GetProperty("emoji").GetString());
        Assert.Equal(2, reaction.GetProperty("count").GetInt32());
        Assert.Equal(["bob", "carol"], reaction.GetProperty("users").EnumerateArray().Select(user => user.GetString()));
        // The events stand at their own seq as well, and no deleted text among them.
        Assert.Equal("edit", items[4].GetProperty("type").GetString());
        Assert.Equal("better", items[4].GetProperty("content").GetString());
        Assert.Equal(1, items[4].GetProperty("target").GetInt64());
        Assert.Equal("", items[6].GetProperty("content").GetString());
        Assert.True(items[6].GetProperty("deleted").GetBoolean());
        Assert.True(items[11].GetProperty("remove").GetBoolean());
        Assert.DoesNotContain("soon gone", page.GetRawText(), StringComparison.Ordinal);

        // Seen from a page that holds only the old messages.
        var old = (await service.GetJsonAsync("/api/rooms/lobby/messages?before=3&limit=2")).GetProperty("items");
        Assert.Equal("", old[0].GetProperty("content").GetString());
        Assert.Equal("best", old[1].GetProperty("content").GetString());
        if (held is not null)
        {
            await held.DisposeAsync();
        }
    }

    [Fact]
    public async Task Without_PostgreSQL_the_recent_history_is_served_and_the_old_one_refused()
    {
        await using var world = await PersistenceWorld.CreateAsync(ownPostgres: true);
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await AppendAsync(log, 1, 120);
        await world.DurableAsync(Lobby, 120);
        // As after a while: of what is committed the tail keeps only the end.
        await world.Database.StreamTrimByMinIdAsync(RedisKeys.Tail(Lobby), "101-0");
        await world.Postgres.CrashAsync();
        await AppendAsync(log, 121, 150);

        Assert.Equal(Enumerable.Range(101, 50).Reverse().Select(i => (long)i), await PageOnceAsync(service, ""));
        Assert.Equal([149, 150], await PageOnceAsync(service, "after=148"));
        Assert.Equal([104, 103, 102, 101], await PageOnceAsync(service, "before=105&limit=4"));
        using var old = await service.GetAsync("/api/rooms/lobby/messages?before=105&limit=5");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, old.StatusCode);
        Assert.NotNull(old.Headers.RetryAfter);
        Assert.Equal("application/problem+json", old.Content.Headers.ContentType?.MediaType);

        await world.Postgres.StartAgainAsync();
        await Eventually.IsTrueAsync(
            async () =>
            {
                using var again = await service.GetAsync("/api/rooms/lobby/messages?before=105&limit=5");
                return again.IsSuccessStatusCode;
            },
            "old history is back");
        await world.DurableAsync(Lobby, 150);
    }

    [Fact]
    public async Task Without_Redis_nothing_is_promised_and_the_service_is_not_ready()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await Eventually.IsTrueAsync(async () => await StatusAsync("/health") == HttpStatusCode.OK, "ready");
        await world.RedisServer.KillAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync("/api/rooms/lobby/messages"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync("/api/conversations"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync("/api/rooms/lobby/members"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync("/health"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("/alive"));

        async Task<HttpStatusCode> StatusAsync(string path)
        {
            using var answer = await service.GetAsync(path);
            return answer.StatusCode;
        }
    }

    private static ConversationEvent Later(string nonce, EventKind kind, long target, string? content = null, string? emoji = null) =>
        PersistenceWorld.Message(Lobby, "alice", nonce) with { Kind = kind, Target = target, Content = content, Emoji = emoji };

    private static async Task AppendAsync(Log.RunningLog log, int from, int to)
    {
        for (var i = from; i <= to; i++)
        {
            Assert.Equal(i, (await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}", $"text {i}"))).Seq);
        }
    }

    private static async Task AppendAsync(Log.RunningLog log, ConversationEvent e) =>
        Assert.Equal(ConnectionService.Log.AppendStatus.Accepted, (await log.AppendAsync(e)).Status);

    /// <summary>All pages, following <c>next</c> until it is null.</summary>
    private static async Task<List<long>> PageAsync(RunningService service, string first, string direction, int limit)
    {
        var seqs = new List<long>();
        var query = first;
        while (true)
        {
            var page = await service.GetJsonAsync($"/api/rooms/lobby/messages?{query}&limit={limit}");
            seqs.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("seq").GetInt64()));
            if (page.GetProperty("next").GetString() is not { } next)
            {
                return seqs;
            }

            query = $"{direction}={next}";
        }
    }

    private static async Task<List<long>> PageOnceAsync(RunningService service, string query)
    {
        var page = await service.GetJsonAsync($"/api/rooms/lobby/messages?{query}");
        return [.. page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("seq").GetInt64())];
    }
}
