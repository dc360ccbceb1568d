using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Persistence;

[Trait("Needs", "System")]
public sealed class OpeningTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ConversationKey Direct = ConversationKey.Direct("alice", "bob");

    [Fact]
    public async Task Nothing_is_accepted_before_the_partition_is_open()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var log = await world.StartLogAsync();
        Assert.Equal(AppendStatus.Unavailable, (await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n1"))).Status);
        await world.StartServiceAsync();
        await world.OpenedAsync();
        Assert.Equal(AppendStatus.Accepted, (await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n1"))).Status);
    }

    [Fact]
    public async Task An_emptied_Redis_is_filled_from_the_database_under_a_new_epoch()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await log.Log.JoinAsync("lobby", "alice", CancellationToken.None);
        await log.Log.JoinAsync("lobby", "carol", CancellationToken.None);
        await log.Log.LeaveAsync("lobby", "carol", CancellationToken.None);
        var acks = new List<AppendResult>();
        for (var i = 1; i <= 7; i++)
        {
            acks.Add(await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}")));
        }

        await log.AppendAsync(PersistenceWorld.Message(Direct, "bob", "d1"));
        await log.Log.ReadAsync(Lobby, "alice", 5, CancellationToken.None);
        await world.DurableAsync(Lobby, 7);
        await world.DurableAsync(Direct, 1);
        await LogIsEmptyAsync(world, Lobby);

        await world.RedisServer.WipeAsync();
        await world.OpenedAsync();

        Assert.Equal(["7", "7"],
            (await world.Database.HashGetAsync(
                RedisKeys.Conversation(Lobby), [ConversationFields.Head, ConversationFields.Durable])).Select(v => (string?)v));
        Assert.Equal(["alice=5"], (await world.Database.HashGetAllAsync(RedisKeys.Members(Lobby))).Select(e => $"{e.Name}={e.Value}"));
        Assert.Equal(["alice=0", "bob=0"],
            (await world.Database.HashGetAllAsync(RedisKeys.Members(Direct))).Select(e => $"{e.Name}={e.Value}").Order());
        Assert.Equal(["lobby"], (await world.Database.SetMembersAsync(RedisKeys.UserRooms("alice"))).Select(v => (string?)v));
        Assert.False(await world.Database.KeyExistsAsync(RedisKeys.UserRooms("carol")));

        // A repeat from before the loss is still a repeat, and gets the very same answer.
        await using var after = await world.StartLogAsync();
        var repeat = await RetryAsync(after, "n3");
        Assert.Equal(acks[2] with { Status = AppendStatus.Duplicate }, repeat);
        var next = await RetryAsync(after, "n8");
        Assert.Equal(8, next.Seq);
        Assert.NotEqual(acks[0].Epoch, next.Epoch);
        await world.DurableAsync(Lobby, 8);
        Assert.Equal(0, service.Total("aspirechat.persistence.conflicts"));
        Assert.Equal(0, service.Total("aspirechat.persistence.fences"));
    }

    [Fact]
    public async Task Nonces_of_a_day_ago_are_not_filled_in()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "old"));
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "new"));
        await world.DurableAsync(Lobby, 2);
        await world.ExecuteAsync("UPDATE events SET created_at = now() - interval '25 hours' WHERE nonce = 'old'");
        await world.RedisServer.WipeAsync();
        await world.OpenedAsync();
        var day = RedisKeys.NonceDay(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        Assert.Equal(1, await world.Database.HashLengthAsync(RedisKeys.Nonces(Lobby.Partition, day)));
        Assert.NotNull(await world.Database.KeyTimeToLiveAsync(RedisKeys.Nonces(Lobby.Partition, day)));
    }

    [Fact]
    public async Task A_Redis_restored_to_an_older_state_is_fenced_and_gets_a_new_epoch()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        for (var i = 1; i <= 5; i++)
        {
            await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}"));
        }

        await world.DurableAsync(Lobby, 5);
        await LogIsEmptyAsync(world, Lobby);
        var backup = await world.RedisServer.BackUpAsync();
        var epoch = (string?)await world.Database.StringGetAsync(RedisKeys.Epoch(Lobby.Partition));
        for (var i = 6; i <= 9; i++)
        {
            await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}"));
        }

        await world.DurableAsync(Lobby, 9);

        await world.RedisServer.RollBackAsync(backup);
        await Eventually.IsTrueAsync(
            async () => await world.Database.StringGetAsync(RedisKeys.Epoch(Lobby.Partition)) is { HasValue: true } now && now != epoch,
            "the partition has a new epoch");
        Assert.True(service.Total("aspirechat.persistence.fences") > 0);
        Assert.Equal(9, (long)await world.Database.HashGetAsync(RedisKeys.Conversation(Lobby), ConversationFields.Head));
        // The tail of the older state would be replayed as if it were the present.
        Assert.Equal(0, await world.Database.StreamLengthAsync(RedisKeys.Tail(Lobby)));

        await using var after = await world.StartLogAsync();
        Assert.Equal(10, (await RetryAsync(after, "n10")).Seq);
        await world.DurableAsync(Lobby, 10);
        Assert.Equal(0, service.Total("aspirechat.persistence.conflicts"));
        Assert.Equal(10, await world.QueryAsync<long>("SELECT count(*) FROM events"));
    }

    [Fact]
    public async Task A_Redis_that_only_restarts_keeps_its_epoch_and_everything_accepted()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await using (await world.HoldCommitsAsync())
        {
            for (var i = 1; i <= 20; i++)
            {
                await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}"));
            }

            await world.RedisServer.KillAsync();
            await world.RedisServer.InitializeAsync();
        }
        await world.DurableAsync(Lobby, 20);
        await using var after = await world.StartLogAsync();
        var next = await RetryAsync(after, "n21");
        Assert.Equal(21, next.Seq);
        await world.DurableAsync(Lobby, 21);
        Assert.Equal(21, await world.QueryAsync<long>("SELECT count(*) FROM events"));
        Assert.Equal(0, service.Total("aspirechat.persistence.fences"));
        Assert.Equal(16, service.Total("aspirechat.persistence.openings"));
    }

    [Fact]
    public async Task Log_ids_never_start_again_below_what_the_database_has()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await using (await world.StartServiceAsync())
        {
            await world.OpenedAsync();
        }
        // As if the server before had a clock far ahead.
        await world.ExecuteAsync($"UPDATE partitions SET committed = {4_000_000_000_000L << 20}");
        await world.RedisServer.WipeAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await RetryAsync(log, "n1");
        await world.DurableAsync(Lobby, 1);
        var committed = await world.QueryAsync<long>($"SELECT committed FROM partitions WHERE partition = {Lobby.Partition}");
        Assert.True(committed > 4_000_000_000_000L << 20);
        Assert.Equal(0, service.Total("aspirechat.persistence.fences"));
    }

    /// <summary>The log's own retries end before a freshly started Redis may be connected again.</summary>
    private static async Task<AppendResult> RetryAsync(Log.RunningLog log, string nonce)
    {
        var message = PersistenceWorld.Message(Lobby, "alice", nonce);
        AppendResult result = default;
        await Eventually.IsTrueAsync(
            async () => (result = await log.AppendAsync(message)).Status != AppendStatus.Unavailable, "the event is accepted");
        return result;
    }

    private static Task LogIsEmptyAsync(PersistenceWorld world, ConversationKey conversation) => Eventually.IsTrueAsync(
        async () => await world.Database.StreamLengthAsync(RedisKeys.Log(conversation.Partition)) == 0, "the log is empty");
}
