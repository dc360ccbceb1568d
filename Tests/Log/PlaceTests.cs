using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;

namespace AspireChat.Tests.Log;

/// <summary>A hub compares heads only in partitions whose place has changed: it must change with every head and every durable mark.</summary>
[Trait("Needs", "Redis")]
public sealed class PlaceTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    private readonly ConversationKey _room = ConversationKey.Room($"room-{Guid.NewGuid():N}");

    [Fact]
    public async Task A_partitions_place_changes_with_each_event_and_each_durable_mark_and_with_nothing_else()
    {
        await using var running = await fixture.StartLogAsync();
        var places = new List<PartitionPlace> { await PlaceAsync(running) };

        await running.AppendAsync(LogFixture.Message(_room, "alice", "n1"));
        places.Add(await PlaceAsync(running));
        await running.AppendAsync(LogFixture.Message(_room, "alice", "n2"));
        places.Add(await PlaceAsync(running));
        await CommitAsync(2);
        places.Add(await PlaceAsync(running));
        Assert.Equal(4, places.Distinct().Count());

        await running.AppendAsync(LogFixture.Message(_room, "alice", "n2"));
        await CommitAsync(2);
        await running.Log.ReadTailAsync(_room, 0, 10, CancellationToken.None);
        Assert.Equal(places[^1], await PlaceAsync(running));
    }

    [Fact]
    public async Task A_closed_partition_has_no_place()
    {
        await using var running = await fixture.StartLogAsync();
        var epoch = await fixture.Database.StringGetDeleteAsync(RedisKeys.Epoch(_room.Partition));
        try
        {
            Assert.Empty(await running.Log.ReadPlacesAsync([_room.Partition], CancellationToken.None));
            Assert.Empty(await running.Log.ReadHeadsAsync([_room], CancellationToken.None));
        }
        finally
        {
            await fixture.Database.StringSetAsync(RedisKeys.Epoch(_room.Partition), epoch);
        }
    }

    private async Task<PartitionPlace> PlaceAsync(RunningLog running) =>
        (await running.Log.ReadPlacesAsync([_room.Partition], CancellationToken.None))[_room.Partition];

    private Task CommitAsync(long seq) => fixture.Database.ScriptEvaluateAsync(
        RedisScripts.Durable,
        [
            RedisKeys.Epoch(_room.Partition), RedisKeys.Moves(_room.Partition),
            RedisKeys.Conversation(_room), RedisKeys.Tail(_room), RedisKeys.Revisions(_room),
        ],
        [60, _room.Value, seq, RedisChannels.Room(_room.RoomId), ""]);
}
