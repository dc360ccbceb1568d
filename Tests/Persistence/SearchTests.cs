using System.Net;
using System.Text.Json;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.Search;
using AspireChat.PersistenceService.Writing;
using AspireChat.Tests.Log;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Persistence;

[Trait("Needs", "System")]
public sealed class SearchTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    [Fact]
    public async Task Messages_are_found_by_all_their_words_newest_first_in_the_shape_of_history()
    {
        await using var search = await SearchWorld.CreateAsync();
        await search.SayAsync(Lobby, "alice", "The quick brown Fuchs");
        await search.SayAsync(Lobby, "bob", "no such thing");
        await search.SayAsync(Lobby, "bob", "ÜBER den “quick” fuchs, naïve?");
        await search.SayAsync(ConversationKey.Direct("alice", "bob"), "bob", "quick: fuchs!");
        await search.SayAsync(Lobby, "alice", "東京タワー");
        await search.IndexedAsync();

        Assert.Equal(["quick: fuchs!", "ÜBER den “quick” fuchs, naïve?", "The quick brown Fuchs"], await search.FindAsync("q=QUICK fuchs"));
        Assert.Equal(["ÜBER den “quick” fuchs, naïve?", "The quick brown Fuchs"], await search.FindAsync("q=fuchs quick&room=lobby"));
        Assert.Equal(["quick: fuchs!"], await search.FindAsync("q=quick&to=bob"));
        Assert.Equal(["The quick brown Fuchs"], await search.FindAsync("q=quick&from=alice"));
        Assert.Equal(["ÜBER den “quick” fuchs, naïve?"], await search.FindAsync("q=über naïve"));
        Assert.Equal(["東京タワー"], await search.FindAsync("q=京"));
        Assert.Empty(await search.FindAsync("q=quick slow"));
        Assert.Empty(await search.FindAsync("q=qui"));
        Assert.Empty(await search.FindAsync("q=!? '&' | \\"));
        var item = Assert.Single((await search.GetAsync("q=brown")).GetProperty("items").EnumerateArray());
        Assert.Equal(("room", "lobby", 1, "alice"), (item.GetProperty("type").GetString(), item.GetProperty("room").GetString(), item.GetProperty("seq").GetInt64(), item.GetProperty("from").GetString()));
        Assert.True(item.TryGetProperty("nonce", out _), "the author sees the nonce");
        Assert.False(Assert.Single((await search.GetAsync("q=brown", "bob")).GetProperty("items").EnumerateArray()).TryGetProperty("nonce", out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("q=")]
    [InlineData("q=%20%20")]
    [InlineData("q=LONG")]
    [InlineData("q=x&room=a&to=b")]
    [InlineData("q=x&room=a/b")]
    [InlineData("q=x&from=.")]
    [InlineData("q=x&before=7")]
    [InlineData("q=x&before=0.7.r:lobby")]
    [InlineData("q=x&room=lobby&before=0.7.r:other")]
    [InlineData("q=x&limit=0")]
    public async Task A_bad_query_is_400(string query)
    {
        await using var search = await SearchWorld.CreateAsync();
        using var answer = await search.Service.GetAsync("/api/search?" + query.Replace("LONG", new string('x', 201), StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Only_what_the_caller_may_read_is_found()
    {
        await using var search = await SearchWorld.CreateAsync();
        var (secret, gone, open) = (ConversationKey.Room("secret"), ConversationKey.Room("gone"), ConversationKey.Room("open"));
        await search.Log.Log.JoinAsync("secret", "alice", CancellationToken.None);
        await search.Log.Log.JoinAsync("gone", "alice", CancellationToken.None);
        await search.SayAsync(secret, "alice", "needle in secret");
        await search.SayAsync(gone, "alice", "needle in gone");
        await search.SayAsync(open, "alice", "needle in open");
        await search.SayAsync(ConversationKey.Direct("alice", "carol"), "carol", "needle for alice");
        await search.IndexedAsync();
        await search.World.ExecuteAsync(
            """
            INSERT INTO rooms (conversation, visibility, sending, created_at, changed, deleted) VALUES
                ('r:secret', 1, 0, now(), 1, false), ('r:gone', 0, 0, now(), 1, true), ('r:open', 0, 0, now(), 1, false)
            ON CONFLICT (conversation) DO UPDATE SET visibility = excluded.visibility, deleted = excluded.deleted;
            INSERT INTO restrictions (conversation, member, kind, active, until, made_by, changed) VALUES
                ('r:open', 'banned', 0, true, NULL, 'alice', 1), ('r:open', 'soon', 0, true, now() + interval '1 hour', 'alice', 1),
                ('r:open', 'over', 0, true, now() - interval '1 hour', 'alice', 1), ('r:open', 'lifted', 0, false, NULL, 'alice', 1),
                ('r:open', 'mute', 1, true, NULL, 'alice', 1);
            """);
        await Eventually.IsTrueAsync(
            async () => await search.World.QueryAsync<long>("SELECT count(*) FROM members WHERE member = 'alice' AND joined") == 3, "memberships are committed");

        Assert.Equal(["needle for alice", "needle in open", "needle in secret"], await search.FindAsync("q=needle"));
        Assert.Equal(["needle in secret"], await search.FindAsync("q=needle&room=secret"));
        Assert.Empty(await search.FindAsync("q=needle&room=gone"));
        Assert.Equal(["needle in open"], await search.FindAsync("q=needle", "stranger"));
        Assert.Empty(await search.FindAsync("q=needle&room=secret", "stranger"));
        Assert.Empty(await search.FindAsync("q=needle&to=alice", "stranger"));
        foreach (var user in new[] { "banned", "soon" })
        {
            Assert.Empty(await search.FindAsync("q=needle", user));
            Assert.Empty(await search.FindAsync("q=needle&room=open", user));
        }
        foreach (var user in new[] { "over", "lifted", "mute" })
        {
            Assert.Equal(["needle in open"], await search.FindAsync("q=needle&room=open", user));
        }
    }

    [Theory]
    [InlineData("stranger", new[] { "secret" }, 1)]
    [InlineData("stranger", new[] { "sec*", "nothing" }, 1)]
    [InlineData("stranger", new[] { "*" }, 2)]
    [InlineData("alice", new[] { "nothing*" }, 0)]
    [InlineData("alice", new string[0], 0)]
    public async Task The_rooms_that_a_token_names_decide_instead_of_membership(string caller, string[] grants, int found)
    {
        await using var search = await SearchWorld.CreateAsync();
        await search.Log.Log.JoinAsync("secret", "alice", CancellationToken.None);
        await search.SayAsync(ConversationKey.Room("secret"), "alice", "needle");
        await search.SayAsync(ConversationKey.Room("open"), "alice", "needle");
        await search.IndexedAsync();
        await search.World.ExecuteAsync("INSERT INTO rooms (conversation, visibility, sending, created_at, changed) VALUES ('r:secret', 1, 0, now(), 1) " +
            "ON CONFLICT (conversation) DO UPDATE SET visibility = 1");

        var table = search.Service.Get<SearchTable>();
        var all = new SearchQuery(SearchWords.Of("needle"), caller, null, null, grants, SearchCursor.Start, 10);
        Assert.Equal(found, (await table.FindAsync(all, CancellationToken.None)).Found.Count);
        var one = all with { Conversation = ConversationKey.Room("secret") };
        Assert.Equal(Math.Min(found, 1), (await table.FindAsync(one, CancellationToken.None)).Found.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_edited_message_is_found_by_its_current_content_and_a_deleted_one_never(bool committed)
    {
        await using var search = await SearchWorld.CreateAsync();
        await search.SayAsync(Lobby, "alice", "first draft");
        await search.SayAsync(Lobby, "alice", "first secret");
        await search.IndexedAsync();
        await using (committed ? null : await search.World.HoldCommitsAsync())
        {
            await search.ReviseAsync(EventKind.Edit, 1, "final first version");
            await search.ReviseAsync(EventKind.Delete, 2, null);
            if (committed)
            {
                await search.IndexedAsync();
                Assert.Empty(await search.FindAsync("q=draft"));
                Assert.Equal(["final first version"], await search.FindAsync("q=final"));
            }

            foreach (var place in new[] { "", "&room=lobby" })
            {
                var item = Assert.Single((await search.GetAsync("q=first" + place)).GetProperty("items").EnumerateArray());
                Assert.Equal(("final first version", 3), (item.GetProperty("content").GetString(), item.GetProperty("edited").GetInt64()));
                Assert.Empty(await search.FindAsync("q=secret" + place));
            }
        }
        await search.IndexedAsync();
        Assert.Equal(0, await search.World.QueryAsync<long>("SELECT count(*) FROM search WHERE words @@ 'secret | draft'"));
    }

    [Theory]
    [InlineData("&room=lobby", 100_000)]
    [InlineData("&room=lobby", 100)]
    [InlineData("", 100_000)]
    [InlineData("", 100)]
    public async Task Pages_neither_repeat_nor_miss_a_message_whether_walked_or_asked_of_the_index(string place, int newest)
    {
        await using var search = await SearchWorld.CreateAsync($"Search:Newest={newest}");
        var rooms = place.Length > 0 ? [Lobby] : new[] { Lobby, ConversationKey.Room("other"), ConversationKey.Direct("alice", "bob") };
        for (var i = 0; i < 240; i++)
        {
            await search.AppendAsync(rooms[i % rooms.Length], "alice", i % 3 == 0 ? $"needle {i}" : $"hay {i}", 1_767_225_600_000 + i / 7);
        }

        await search.IndexedAsync();
        var (seen, next) = (new List<string>(), "");
        do
        {
            var page = await search.GetAsync($"q=needle&limit=7{place}{next}");
            seen.AddRange(SearchWorld.ContentsOf(page));
            next = page.GetProperty("next").GetString() is { } before ? "&before=" + Uri.EscapeDataString(before) : null;
        }
        while (next is not null);

        Assert.Equal(80, seen.Count);
        Assert.Equal(80, seen.Distinct().Count());
        var numbers = seen.Select(text => int.Parse(text.Split(' ')[1])).ToList();
        // By time; within one moment the conversations come one after the other.
        Assert.Equal(numbers.Select(number => number / 7).OrderDescending(), numbers.Select(number => number / 7));
        if (place.Length > 0)
        {
            Assert.Equal(numbers.OrderDescending(), numbers);
        }
    }

    [Fact]
    public async Task In_one_conversation_a_committed_message_is_found_before_the_index_has_it()
    {
        await using var search = await SearchWorld.CreateAsync("Search:Linger=00:00:10");
        await search.SayAsync(Lobby, "alice", "needle one");
        await search.SayAsync(Lobby, "bob", "needle two");
        await search.World.DurableAsync(Lobby, 2);

        Assert.Equal(0, await search.World.QueryAsync<long>("SELECT count(*) FROM search"));
        Assert.Equal(["needle two", "needle one"], await search.FindAsync("q=needle&room=lobby"));
        Assert.Equal(["needle one"], await search.FindAsync("q=needle&room=lobby&from=alice"));
    }

    [Fact]
    public async Task What_the_index_lacks_after_a_stop_is_put_in_at_the_next_start_and_what_came_late_as_well()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await world.MigrateAsync();
        // As a replica leaves it that ends between the commit and the index; the event at seq 2 comes after that at seq 3.
        var writer = new BatchWriter(world.Source, TimeProvider.System);
        await WriteAsync(LogEntries.Message(Lobby, 1, content: "needle 1"), LogEntries.Message(Lobby, 3, content: "needle 3"));
        await using (var service = await world.StartServiceAsync())
        {
            await Eventually.IsTrueAsync(async () => await CountAsync() == 2, "the index has what it lacked");
        }

        await WriteAsync(LogEntries.Message(Lobby, 2, content: "needle 2"));
        await using var again = await world.StartServiceAsync();
        await Eventually.IsTrueAsync(async () => await CountAsync() == 3, "the index has what came late");

        Task WriteAsync(params ConversationEvent[] events) =>
            writer.WriteAsync([new PartitionBatch(0, [.. events.Select(LogEntries.Of)], default)], CancellationToken.None);

        Task<long> CountAsync() => world.QueryAsync<long>("SELECT count(*) FROM search WHERE words @@ 'needle'");
    }

    [Fact]
    public async Task A_search_that_takes_too_long_is_given_up_and_answered_503_with_the_time_to_wait()
    {
        await using var search = await SearchWorld.CreateAsync("Search:Timeout=00:00:00.1");
        await search.SayAsync(Lobby, "alice", "needle");
        await search.IndexedAsync();
        await using var connection = await search.World.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new Npgsql.NpgsqlCommand("LOCK TABLE search IN ACCESS EXCLUSIVE MODE", connection))
        {
            await hold.ExecuteNonQueryAsync();
        }

        foreach (var place in new[] { "", "&room=lobby" })
        {
            using var answer = await search.Service.GetAsync("/api/search?q=needle" + place);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(2), answer.Headers.RetryAfter?.Delta);
        }
        Assert.Equal(2, search.Service.Total("aspirechat.search.too_slow"));
    }

    [Fact]
    public async Task Hits_that_the_caller_may_not_read_do_not_make_a_search_dear_and_the_next_page_goes_on_behind_them()
    {
        await using var search = await SearchWorld.CreateAsync("Search:Newest=100", "Search:Matches=1000");
        await search.World.ExecuteAsync(
            """
            INSERT INTO search SELECT 'd:bob:carol', n, timestamptz '2026-01-02' + n * interval '1 ms', array_to_tsvector(ARRAY['needle', '=d:bob:carol', '@bob'])
            FROM generate_series(1, 2500) n
            """);
        await search.AppendAsync(Lobby, "alice", "needle for all", 1_767_225_600_000);
        await search.IndexedAsync();

        var (pages, next, found) = (0, "", new List<string>());
        do
        {
            var page = await search.GetAsync("q=needle" + next);
            found.AddRange(SearchWorld.ContentsOf(page));
            next = page.GetProperty("next").GetString() is { } before ? "&before=" + Uri.EscapeDataString(before) : null;
            pages++;
        }
        while (next is not null);

        Assert.Equal(["needle for all"], found);
        Assert.Equal(3, pages);
    }
}

/// <summary>A service, a log to append to, and a way to ask.</summary>
internal sealed class SearchWorld : IAsyncDisposable
{
    private readonly Dictionary<ConversationKey, long> _heads = [];
    private int _nonce;

    private SearchWorld(PersistenceWorld world, RunningService service, RunningLog log) => (World, Service, Log) = (world, service, log);

    public PersistenceWorld World { get; }

    public RunningService Service { get; }

    public RunningLog Log { get; }

    public static async Task<SearchWorld> CreateAsync(params string[] settings)
    {
        var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync(configuration =>
        {
            foreach (var pair in settings.Select(setting => setting.Split('=', 2)))
            {
                configuration[pair[0]] = pair[1];
            }
        });
        await world.OpenedAsync();
        return new SearchWorld(world, service, await world.StartLogAsync());
    }

    public Task SayAsync(ConversationKey conversation, string from, string content) =>
        AppendAsync(conversation, from, content, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + ++_nonce);

    public Task AppendAsync(ConversationKey conversation, string from, string content, long timestamp) =>
        AppendAsync(PersistenceWorld.Message(conversation, from, $"n{++_nonce}", content) with { Timestamp = timestamp });

    public Task ReviseAsync(EventKind kind, long target, string? content) => AppendAsync(
        PersistenceWorld.Message(ConversationKey.Room("lobby"), "alice", $"n{++_nonce}") with { Kind = kind, Target = target, Content = content });

    /// <summary>Waits until all is committed and in the index.</summary>
    public async Task IndexedAsync()
    {
        foreach (var (conversation, head) in _heads)
        {
            await World.DurableAsync(conversation, head);
        }

        await Eventually.IsTrueAsync(
            async () => await World.QueryAsync<long>(
                "SELECT count(*) FROM conversations c LEFT JOIN search_marks k USING (conversation) WHERE c.head > COALESCE(k.seq, 0)") == 0,
            "everything is indexed");
    }

    public Task<JsonElement> GetAsync(string query, string user = "alice") => Service.GetJsonAsync("/api/search?" + query, user);

    public async Task<List<string>> FindAsync(string query, string user = "alice") => ContentsOf(await GetAsync(query, user));

    public static List<string> ContentsOf(JsonElement page) =>
        [.. page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("content").GetString()!)];

    public ValueTask DisposeAsync() => World.DisposeAsync();

    private async Task AppendAsync(ConversationEvent e)
    {
        var result = await Log.AppendAsync(e);
        Assert.Equal(ConnectionService.Log.AppendStatus.Accepted, result.Status);
        _heads[e.Conversation] = result.Seq;
    }
}
