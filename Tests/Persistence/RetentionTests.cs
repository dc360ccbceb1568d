using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Persistence;

/// <summary>What is older than it is kept is gone everywhere, and its seqs are not given out again.</summary>
[Trait("Needs", "System")]
public sealed class RetentionTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ConversationKey Archive = ConversationKey.Room("archive");

    [Fact]
    public async Task Old_events_are_gone_from_the_database_the_tail_and_the_history()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await world.MigrateAsync();
        // A room's own time counts before the system's.
        await world.ExecuteAsync(
            "INSERT INTO rooms (conversation, visibility, sending, retention_days, created_at, changed) VALUES ('r:archive', 0, 0, 30, now(), 0)");
        var service = await world.StartServiceAsync(settings =>
        {
            settings["Retention:Days"] = "7";
            settings["Retention:Interval"] = "00:00:01";
        });
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        foreach (var room in new[] { Lobby, Archive })
        {
            await log.AppendAsync(Message(room, "n1", daysAgo: 9));
            await log.AppendAsync(Message(room, "n2", daysAgo: 8));
            await log.AppendAsync(Message(room, "n3", daysAgo: 1));
            await world.DurableAsync(room, 3);
        }

        await Eventually.IsTrueAsync(
            async () => await world.QueryAsync<long>("SELECT count(*) FROM events WHERE conversation = 'r:lobby'") == 1, "the old events are gone");

        await Eventually.IsTrueAsync(
            async () => await world.Database.StreamLengthAsync(RedisKeys.Tail(Lobby)) == 1, "the tail has let them go too");
        var page = (await service.GetJsonAsync("/api/rooms/lobby/messages")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([3L], page.Select(item => item.GetProperty("seq").GetInt64()));
        Assert.Equal(3, await world.QueryAsync<long>("SELECT count(*) FROM events WHERE conversation = 'r:archive'"));
        Assert.Equal(4, (await log.AppendAsync(Message(Lobby, "n4", daysAgo: 0))).Seq);
    }

    [Fact]
    public async Task A_thousand_old_events_and_more_go_and_the_first_young_one_stays()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await world.MigrateAsync();
        await world.ExecuteAsync("""
            INSERT INTO conversations VALUES ('r:lobby', 0, 2502, now());
            INSERT INTO events (conversation, seq, created_at, id, kind, removes, sender, nonce, epoch, content)
            SELECT 'r:lobby', n, now() - CASE WHEN n <= 2500 THEN interval '10 days' ELSE interval '1 day' END,
                gen_random_uuid(), 0, false, 'alice', 'n' || n, 'e', 'x'
            FROM generate_series(1, 2502) n
            """);

        await world.StartServiceAsync(settings => settings["Retention:Days"] = "7");

        await Eventually.IsTrueAsync(
            async () => await world.QueryAsync<long>("SELECT count(*) FROM events") == 2, "2,500 events are gone");
        Assert.Equal(2501, await world.QueryAsync<long>("SELECT min(seq) FROM events"));
    }

    private static ConversationEvent Message(ConversationKey room, string nonce, int daysAgo) =>
        PersistenceWorld.Message(room, "alice", nonce) with
        {
            Timestamp = TimeProvider.System.GetUtcNow().AddDays(-daysAgo).ToUnixTimeMilliseconds(),
        };
}
