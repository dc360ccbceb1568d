using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;

namespace AspireChat.Tests.Log;

[Trait("Needs", "Redis")]
public sealed class OutageTests : IAsyncLifetime
{
    private readonly LogFixture _fixture = new();

    public Task InitializeAsync() => _fixture.InitializeAsync();

    public Task DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_closed_partition_accepts_nothing_and_says_when_to_try_again()
    {
        await using var running = await _fixture.StartLogAsync(new ConversationLogOptions { Deadline = TimeSpan.FromMilliseconds(200) });
        var room = ConversationKey.Room("lobby");
        await _fixture.Database.KeyDeleteAsync(RedisKeys.Epoch(room.Partition));

        var refused = await running.AppendAsync(LogFixture.Message(room, "alice", "n"));
        await Assert.ThrowsAsync<LogUnavailableException>(() => running.Log.JoinAsync("lobby", "alice", CancellationToken.None));
        await _fixture.OpenAsync();
        var accepted = await running.AppendAsync(LogFixture.Message(room, "alice", "n"));

        Assert.Equal(AppendResult.Unavailable(1_000), refused);
        Assert.Equal((AppendStatus.Accepted, 1L), (accepted.Status, accepted.Seq));
    }

    [Fact]
    public async Task A_short_outage_delays_and_a_long_one_refuses_but_what_was_acknowledged_is_there_once_and_in_order()
    {
        await using var running = await _fixture.StartLogAsync(new ConversationLogOptions { Deadline = TimeSpan.FromSeconds(1) });
        var room = ConversationKey.Room("lobby");
        var before = await running.AppendAsync(LogFixture.Message(room, "alice", "before"));

        await _fixture.Server.KillAsync();
        var during = await running.AppendAsync(LogFixture.Message(room, "alice", "during"));
        await _fixture.Server.InitializeAsync();

        // Clients repeat a send with its nonce until it is acknowledged.
        AppendResult after;
        do
        {
            after = await running.AppendAsync(LogFixture.Message(room, "alice", "during"));
        }
        while (after.Status == AppendStatus.Unavailable);

        Assert.Equal((AppendStatus.Accepted, 1L), (before.Status, before.Seq));
        Assert.Equal(AppendStatus.Unavailable, during.Status);
        Assert.Equal(2, after.Seq);
        var tail = await running.Log.ReadTailAsync(room, 0, 10, CancellationToken.None);
        Assert.Equal(["before", "during"], tail.Events.Select(e => e.Nonce));
    }

    [Fact]
    public async Task Redis_at_its_memory_limit_refuses_new_events_and_drops_nothing()
    {
        await using var running = await _fixture.StartLogAsync();
        var room = ConversationKey.Room("lobby");
        await running.AppendAsync(LogFixture.Message(room, "alice", "kept"));
        await _fixture.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1mb");

        var refused = await running.AppendAsync(LogFixture.Message(room, "alice", "refused"));
        await _fixture.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        var accepted = await running.AppendAsync(LogFixture.Message(room, "alice", "refused"));

        Assert.Equal(AppendStatus.Unavailable, refused.Status);
        Assert.Equal((AppendStatus.Accepted, 2L), (accepted.Status, accepted.Seq));
    }

    [Fact]
    public async Task A_full_queue_refuses_at_once()
    {
        await using var running = await _fixture.StartLogAsync(new ConversationLogOptions { QueueLength = 4, Deadline = TimeSpan.FromSeconds(5) });
        await _fixture.Server.KillAsync();
        var room = ConversationKey.Room("lobby");
        var completion = new IgnoredCompletion();

        // At most one batch is in flight and four events wait, so there is no place for the tenth.
        var accepted = 0;
        for (var i = 0; i < 10; i++)
        {
            accepted += running.Log.TryAppend(new AppendRequest(LogFixture.Message(room, "alice", $"n{i}"), false, completion)) ? 1 : 0;
        }

        Assert.InRange(accepted, 4, 9);
    }

    private sealed class IgnoredCompletion : IAppendCompletion
    {
        public void Completed(AspireChat.Contracts.Log.ConversationEvent appended, AppendResult result)
        {
        }
    }
}
