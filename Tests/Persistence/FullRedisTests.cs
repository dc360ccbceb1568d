using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Persistence;

/// <summary>A Redis at its <c>maxmemory</c>, with the policy that the log needs: nothing is evicted, writing is refused.</summary>
[Trait("Needs", "System")]
public sealed class FullRedisTests
{
    private const int Room = 4 * 1_024 * 1_024;

    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    [Fact]
    public async Task A_full_Redis_refuses_what_is_new_loses_nothing_and_goes_on_by_itself_once_the_log_is_committed()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await log.Log.JoinAsync("lobby", "alice", CancellationToken.None);
        var content = new string('x', 8_000);
        var accepted = 0;
        var held = await world.HoldCommitsAsync();
        var limit = await LimitAsync(world, Room);
        AppendResult refused;
        while ((refused = await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{accepted + 1}", content))).Status == AppendStatus.Accepted)
        {
            accepted++;
        }

        Assert.Equal(AppendStatus.Unavailable, refused.Status);
        Assert.InRange(accepted, 50, Room / content.Length);
        // Too full for a long message is not yet too full for a short record: buffers come and go.
        await SetLimitAsync(world, 1);
        await Assert.ThrowsAsync<LogUnavailableException>(() => log.Log.JoinAsync("other", "alice", CancellationToken.None));
        await Assert.ThrowsAsync<LogUnavailableException>(() => log.Log.ReadAsync(Lobby, "alice", 10, CancellationToken.None));
        Assert.Equal(accepted, (await log.Log.ReadHeadsAsync([Lobby], CancellationToken.None))[Lobby].Head);
        Assert.Equal(1, (await log.Log.ReadTailAsync(Lobby, 0, 1, CancellationToken.None)).Events[0].Seq);

        await SetLimitAsync(world, limit);
        await held.DisposeAsync();
        await world.DurableAsync(Lobby, accepted);

        AppendResult again = default;
        await Eventually.IsTrueAsync(
            async () => (again = await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{accepted + 1}", content))).Status
                == AppendStatus.Accepted,
            "the same message is accepted now");
        Assert.Equal(accepted + 1, again.Seq);
        await world.DurableAsync(Lobby, again.Seq);
        Assert.Equal(again.Seq, await world.QueryAsync<long>("SELECT count(DISTINCT seq) FROM events WHERE conversation = 'r:lobby'"));
        Assert.Equal(again.Seq, await world.QueryAsync<long>("SELECT max(seq) FROM events WHERE conversation = 'r:lobby'"));
    }

    [Fact]
    public async Task A_tail_that_grew_while_nothing_was_committed_shrinks_to_its_bytes_with_the_commit()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await world.StartServiceAsync();
        await world.OpenedAsync();
        var options = new ConversationLogOptions { TailBytes = 64 * 1_024 };
        var log = await world.StartLogAsync(options);
        var content = new string('x', 1_000);
        await using (await world.HoldCommitsAsync())
        {
            await Task.WhenAll(Enumerable.Range(1, 500).Select(i =>
                log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}", content))));
            Assert.Equal(500, await world.Database.StreamLengthAsync(RedisKeys.Tail(Lobby)));
        }

        await world.DurableAsync(Lobby, 500);
        Assert.InRange(await world.Database.StreamLengthAsync(RedisKeys.Tail(Lobby)), options.TailBytes / 2 / 1_200, options.TailBytes / 1_000 + 10);
    }

    /// <returns>The limit: what is used, and <paramref name="room"/> more.</returns>
    private static async Task<long> LimitAsync(PersistenceWorld world, int room)
    {
        var server = world.Redis.GetServers()[0];
        var used = long.Parse((await server.InfoAsync("memory"))[0].Single(line => line.Key == "used_memory").Value);
        await server.ConfigSetAsync("maxmemory-policy", "noeviction");
        await SetLimitAsync(world, used + room);
        return used + room;
    }

    private static Task SetLimitAsync(PersistenceWorld world, long bytes) => world.Redis.GetServers()[0].ConfigSetAsync("maxmemory", bytes);
}
