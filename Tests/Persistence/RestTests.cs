using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Partitions;
using AspireChat.RedisLog;
using AspireChat.Tests.RedisLog;
using AspireChat.Tests.ServiceDefaults;
using StackExchange.Redis;

namespace AspireChat.Tests.Persistence;

/// <summary>What the service does when there is nothing to do, and how it finds work all the same.</summary>
[Trait("Needs", "System")]
public sealed class RestTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    [Fact]
    public async Task At_rest_the_log_is_neither_read_nor_claimed()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync(settings => settings["Persistence:InspectInterval"] = "00:00:00.5");
        await world.OpenedAsync();
        await Eventually.IsTrueAsync(() => service.Get<PartitionOwnership>().Owned.Count() == 16, "it owns all partitions");
        await AppendAsync(world, "n1");
        await world.DurableAsync(Lobby, 1);

        var before = await CommandCounts.ReadAsync(world.Database);
        await LooksAsync(world, before, 10);
        var counts = (await CommandCounts.ReadAsync(world.Database)).Since(before);

        // What belongs to the last batch may come in the first moment.
        Assert.InRange(counts["xreadgroup"], 0, 4);
        Assert.InRange(counts["xautoclaim"], 0, 1);
        Assert.InRange(counts["xinfo|stream"], 0, 2);
    }

    [Fact]
    public async Task An_event_whose_bell_was_lost_is_committed_by_the_next_look()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await world.StartServiceAsync();
        await world.OpenedAsync();
        await AppendAsync(world, "n1");
        await world.DurableAsync(Lobby, 1);
        // As if it had been rung and nobody had heard: appends ring no more.
        await Eventually.IsTrueAsync(
            () => world.Database.StringSetAsync(RedisKeys.Rung(Lobby.Partition), "1", when: When.NotExists), "the bell is answered");
        var bells = 0;
        await world.Redis.GetSubscriber().SubscribeAsync(
            RedisChannel.Literal(RedisChannels.LogBell(Lobby.Partition)), (_, _) => Interlocked.Increment(ref bells));

        await AppendAsync(world, "n2");
        await world.DurableAsync(Lobby, 2);

        Assert.Equal(0, Volatile.Read(ref bells));
        Assert.False(await world.Database.KeyExistsAsync(RedisKeys.Rung(Lobby.Partition)));
    }

    [Fact]
    public async Task A_database_that_was_restored_to_an_older_state_is_noticed_within_five_looks()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync(settings => settings["Persistence:InspectInterval"] = "00:00:00.5");
        await world.OpenedAsync();
        await Eventually.IsTrueAsync(() => service.Get<PartitionOwnership>().Owned.Count() == 16, "it owns all partitions");
        await AppendAsync(world, "n1");
        await world.DurableAsync(Lobby, 1);
        var committed = await world.QueryAsync<long>($"SELECT committed FROM partitions WHERE partition = {Lobby.Partition}");
        await AppendAsync(world, "n2");
        await world.DurableAsync(Lobby, 2);
        var epoch = await EpochAsync(world);
        // Long enough that Redis alone is looked at: the case in which the database could be forgotten.
        await LooksAsync(world, await CommandCounts.ReadAsync(world.Database), 12);

        var before = await CommandCounts.ReadAsync(world.Database);
        await world.ExecuteAsync(
            "BEGIN; DELETE FROM events WHERE seq > 1; UPDATE conversations SET head = 1; "
            + $"UPDATE partitions SET committed = {committed} WHERE partition = {Lobby.Partition}; COMMIT");
        await Eventually.IsTrueAsync(async () => await EpochAsync(world) is { HasValue: true } now && now != epoch, "the log has a new epoch");

        // Five looks until it is noticed; those that open the partition again come on top.
        Assert.InRange((await CommandCounts.ReadAsync(world.Database)).Since(before)["xinfo|groups"], 0, 16 * 10);
        Assert.Equal(1, service.Total("aspirechat.persistence.fences"));
        // The log continues where the database ends.
        await AppendAsync(world, "n3");
        await world.DurableAsync(Lobby, 2);
        Assert.Equal("n3", await world.QueryAsync<string>("SELECT nonce FROM events WHERE seq = 2"));
    }

    [Fact]
    public async Task The_bell_is_rung_once_until_it_is_answered_and_then_again()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await using (await world.StartServiceAsync())
        {
            await world.OpenedAsync();
        }
        var bells = 0;
        await world.Redis.GetSubscriber().SubscribeAsync(
            RedisChannel.Literal(RedisChannels.LogBell(Lobby.Partition)), (_, _) => Interlocked.Increment(ref bells));
        for (var i = 0; i < 5; i++)
        {
            await AppendAsync(world, $"n{i}");
        }
        await HeardAsync(1);

        await world.StartServiceAsync();
        await world.DurableAsync(Lobby, 5);
        await AppendAsync(world, "n5");
        await world.DurableAsync(Lobby, 6);

        await HeardAsync(2);

        Task HeardAsync(int count) => Eventually.IsTrueAsync(() => Volatile.Read(ref bells) == count, $"the bell was rung {count} times");
    }

    private static async Task<RedisValue> EpochAsync(PersistenceWorld world) =>
        await world.Database.StringGetAsync(RedisKeys.Epoch(Lobby.Partition));

    private static Task LooksAsync(PersistenceWorld world, CommandCounts since, int looks) => Eventually.IsTrueAsync(
        async () => (await CommandCounts.ReadAsync(world.Database)).Since(since)["xinfo|groups"] >= 16 * looks, $"{looks} looks at 16 partitions");

    private static async Task AppendAsync(PersistenceWorld world, string nonce)
    {
        await using var log = await world.StartLogAsync();
        Assert.Equal(AppendStatus.Accepted, (await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", nonce))).Status);
    }
}
