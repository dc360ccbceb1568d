using AspireChat.Client;
using AspireChat.Client.Delivery;

namespace AspireChat.Tests.Client;

public sealed class PendingItemsTests
{
    private const int Capacity = 16;
    private static readonly Conversation Lobby = Conversation.Room("lobby");

    private readonly Sequencer _log = new(heldLimit: 8);
    private readonly ItemBuffer _items = new(Capacity, () => { });
    private readonly PendingItems _pending;

    public PendingItemsTests()
    {
        _pending = new PendingItems(_log, _items);
        _log.Reset(null, 0);
    }

    [Fact]
    public async Task The_snapshot_goes_first_then_the_notice_then_the_events()
    {
        Arrive(1);
        _pending.Add(new Gap(Lobby, 1, 2));
        _pending.Add(Snapshot());

        _pending.Flush(withEvents: true);

        Assert.Equal(["RoomJoined", "Gap", "MessageSent"], await ReadAsync());
        Assert.False(_pending.HasSnapshotOrNotice);
    }

    [Fact]
    public async Task Nothing_overtakes_a_snapshot_that_the_full_buffer_refused()
    {
        Fill();
        Arrive(1);
        _pending.Add(Snapshot());
        _pending.Flush(withEvents: true);
        Assert.True(_pending.HasSnapshotOrNotice);
        Assert.NotNull(_log.Peek());

        Assert.Equal(Capacity, (await ReadAsync()).Count);
        _pending.Flush(withEvents: true);

        Assert.Equal(["RoomJoined", "MessageSent"], await ReadAsync());
    }

    [Fact]
    public async Task Events_wait_while_it_is_unknown_which_log_they_belong_to_and_get_its_epoch_then()
    {
        Arrive(1);
        _pending.Add(Snapshot());

        _pending.Flush(withEvents: false);
        Assert.Equal(["RoomJoined"], await ReadAsync());

        Assert.False(_log.IsForeign("e1"));
        _pending.Flush(withEvents: true);
        Assert.True(_items.TryAdd(new Fault("", "")));
        await using var items = _items.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await items.MoveNextAsync());
        Assert.Equal("e1", Assert.IsType<MessageSent>(items.Current).Epoch);
    }

    private static RoomJoined Snapshot() => new(Lobby, "e1", 0, ["alice"], 1, [], 0);

    private void Arrive(long seq) => _log.Arrive(new MessageSent(Lobby)
    {
        Id = $"id-{seq}", Seq = seq, From = "bob", Timestamp = DateTimeOffset.UnixEpoch, Content = "x",
    });

    private void Fill()
    {
        for (var i = 0; i < Capacity; i++)
        {
            Assert.True(_items.TryAdd(new Fault("", "")));
        }
    }

    /// <summary>Reads what is in the buffer now.</summary>
    private async Task<List<string>> ReadAsync()
    {
        using var enough = new CancellationTokenSource();
        List<string> names = [];
        await using var items = _items.ReadAsync(enough.Token).GetAsyncEnumerator(enough.Token);
        while (true)
        {
            var next = items.MoveNextAsync();
            if (!next.IsCompleted)
            {
                await enough.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
                return names;
            }
            Assert.True(await next);
            names.Add(items.Current.GetType().Name);
        }
    }
}
