using System.Text.Json;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.Tests.Persistence;

/// <summary>What a message carries beside its text, in history and in the list of conversations.</summary>
[Trait("Needs", "System")]
public sealed class MessageDetailsTests
{
    private const string Meta = """{"a":[1.50,{"b":null}]}""";
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task History_shows_the_details_as_the_last_edits_that_name_them_left_them(bool committed)
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await using var held = committed ? null : await world.HoldCommitsAsync();
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n1"));
        await log.AppendAsync(With("n2", new() { ReplyTo = 1, Mentions = ["bob", "carol"], Meta = Meta }));
        await log.AppendAsync(Edit("e3", 2, new() { Mentions = ["dave"] }));
        await log.AppendAsync(Edit("e4", 2, new() { Meta = """{"c":1}""" }));
        await log.AppendAsync(Edit("e5", 2, null));
        await log.AppendAsync(With("n6", new() { Mentions = ["bob"] }));
        await log.AppendAsync(Edit("e7", 6, new() { Mentions = [] }));
        if (committed)
        {
            await world.DurableAsync(Lobby, 7);
        }

        // By pages of one, so that each comes from where it is: the table or the tail.
        var items = new Dictionary<long, JsonElement>();
        foreach (var whole in new[] { await service.GetJsonAsync("/api/rooms/lobby/messages"), await service.GetJsonAsync("/api/rooms/lobby/messages?after=1&limit=1") })
        {
            foreach (var item in whole.GetProperty("items").EnumerateArray())
            {
                items[item.GetProperty("seq").GetInt64()] = item;
            }

            Assert.Equal("""1 | ["dave"] | {"c":1} | edited e5""", Read(items[2]));
        }
        Assert.Equal("""– | ["dave"] | – | edited e3""", Read(items[3]));
        Assert.Equal("""– | – | {"c":1} | edited e4""", Read(items[4]));
        Assert.Equal("– | – | – | edited e5", Read(items[5]));
        Assert.Equal("– | – | – | edited e7", Read(items[6]));
        Assert.Equal("– | [] | – | edited e7", Read(items[7]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_deletion_takes_meta_and_mentions_away_everywhere_and_leaves_what_it_replied_to(bool committed)
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await log.AppendAsync(With("n1", new() { Mentions = ["bob"], Meta = Meta }));
        await log.AppendAsync(With("n2", new() { ReplyTo = 1, Mentions = ["bob"], Meta = Meta }));
        await log.AppendAsync(Edit("e3", 2, new() { Mentions = ["bob", "carol"], Meta = """{"secret":1}""" }));
        await world.DurableAsync(Lobby, 3);
        Assert.Equal(1, await MentionsAsync(service, "carol"));
        await using (committed ? null : await world.HoldCommitsAsync())
        {
            await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "d") with { Kind = EventKind.Delete, Target = 2, Content = null });
            if (committed)
            {
                await world.DurableAsync(Lobby, 4);
            }

            foreach (var path in new[] { "/api/rooms/lobby/messages", "/api/rooms/lobby/messages?after=1&limit=2" })
            {
                var items = (await service.GetJsonAsync(path)).GetProperty("items").EnumerateArray().ToDictionary(item => item.GetProperty("seq").GetInt64());
                Assert.Equal("1 | – | – | ", Read(items[2]));
                Assert.Equal("– | – | – | ", Read(items[3]));
            }
        }
        await world.DurableAsync(Lobby, 4);
        Assert.Equal(0, await world.QueryAsync<long>("SELECT count(*) FROM events WHERE seq > 1 AND (meta IS NOT NULL OR mentions IS NOT NULL)"));
        Assert.Equal("bob 1", await world.QueryAsync<string>("SELECT string_agg(member || ' ' || seq, ',') FROM mentions"));
    }

    [Fact]
    public async Task Mentions_are_counted_beside_unread_whether_committed_or_not_and_go_with_the_cursor()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await log.Log.JoinAsync("lobby", "bob", CancellationToken.None);
        await log.AppendAsync(With("n1", new() { Mentions = ["bob"] }));
        await log.AppendAsync(With("n2", new() { Mentions = ["bob", "alice"] }));
        await log.AppendAsync(With("n3", new() { Mentions = ["carol"] }));
        await log.AppendAsync(Edit("e4", 3, new() { Mentions = ["bob"] }));
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "bob", "b5") with { Details = new() { Mentions = ["bob"] } });
        await world.DurableAsync(Lobby, 5);
        Assert.Equal((3, 3), await CountsAsync("bob"));
        await using (await world.HoldCommitsAsync())
        {
            await log.AppendAsync(With("n6", new() { Mentions = ["bob"] }));
            await log.AppendAsync(With("n7", new() { Mentions = ["bob"] }));
            await log.AppendAsync(Edit("e8", 7, new() { Mentions = [] }));
            Assert.Equal((5, 4), await CountsAsync("bob"));
            await log.Log.ReadAsync(Lobby, "bob", 2, CancellationToken.None);
            Assert.Equal((3, 2), await CountsAsync("bob"));
        }
        await world.DurableAsync(Lobby, 8);
        Assert.Equal((3, 2), await CountsAsync("bob"));
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "d") with { Kind = EventKind.Delete, Target = 6, Content = null });
        await world.DurableAsync(Lobby, 9);
        Assert.Equal(1, (await CountsAsync("bob")).Mentions);

        async Task<(long Unread, long Mentions)> CountsAsync(string user)
        {
            var item = Assert.Single((await service.GetJsonAsync("/api/conversations", user)).GetProperty("items").EnumerateArray());
            return (item.GetProperty("unread").GetInt64(), item.GetProperty("mentions").GetInt64());
        }
    }

    [Fact]
    public async Task The_same_entries_written_again_in_any_order_leave_the_same_details_and_mentions()
    {
        await using var fixture = await WriterFixture.CreateAsync();
        var entries = new ConversationEvent[]
        {
            LogEntries.Message(Lobby, 1) with { Details = new() { Mentions = ["bob"], Meta = Meta } },
            LogEntries.Edit(Lobby, 2, 1, "edited") with { Details = new() { Mentions = ["carol", "dave"] } },
            LogEntries.Message(Lobby, 3) with { Details = new() { ReplyTo = 1, Mentions = ["bob"] } },
            LogEntries.Delete(Lobby, 4, 3),
        }.Select(LogEntries.Of).ToArray();
        await fixture.WriteAsync(entries);
        var expected = await StateAsync();
        Assert.Equal("1:–:carol dave:{\"a\":[1.50,{\"b\":null}]} 3:1:–:– carol/1 dave/1 newest 1", expected);
        foreach (var entry in Enumerable.Reverse(entries))
        {
            await fixture.WriteAsync(entry);
            Assert.Equal(expected, await StateAsync());
        }

        async Task<string> StateAsync() => string.Join(' ', await fixture.RowsAsync(
            """
            (SELECT concat_ws(':', seq, COALESCE(reply_to::text, '–'), COALESCE(mentions, '–'), COALESCE(meta, '–')) FROM events WHERE kind = 0 ORDER BY seq)
            UNION ALL (SELECT member || '/' || seq FROM mentions ORDER BY member, seq)
            UNION ALL (SELECT 'newest ' || last_message FROM conversations)
            """,
            reader => reader.GetString(0)));
    }

    private static ConversationEvent With(string nonce, MessageDetails details) =>
        PersistenceWorld.Message(Lobby, "alice", nonce) with { Details = details };

    private static ConversationEvent Edit(string nonce, long target, MessageDetails? details) =>
        PersistenceWorld.Message(Lobby, "alice", nonce, "edited " + nonce) with { Kind = EventKind.Edit, Target = target, Details = details };

    private static string Read(JsonElement item)
    {
        return string.Join(" | ", Raw("replyTo"), Raw("mentions"), Raw("meta"), item.GetProperty("content").GetString());

        string Raw(string name) => item.TryGetProperty(name, out var value) ? value.GetRawText() : "–";
    }

    private static async Task<long> MentionsAsync(RunningService service, string user)
    {
        await using var command = service.Get<Npgsql.NpgsqlDataSource>().CreateCommand($"SELECT count(*) FROM mentions WHERE member = '{user}'");
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
