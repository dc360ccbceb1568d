using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace AspireChat.Tests.Log;

[Trait("Needs", "Redis")]
public sealed class AppendTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task Events_of_a_conversation_get_a_dense_seq_in_the_order_sent()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRoom();

        var results = await Task.WhenAll(Enumerable.Range(1, 1_000).Select(i => running.AppendAsync(LogFixture.Message(room, "alice", $"n{i}"))));

        Assert.All(results, result => Assert.Equal(AppendStatus.Accepted, result.Status));
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => (long)i), results.Select(result => result.Seq));
        Assert.All(results, result => Assert.Equal(LogFixture.Epoch, result.Epoch));
    }

    [Fact]
    public async Task Many_senders_share_one_seq_without_a_hole_or_a_repeat()
    {
        await using var one = await fixture.StartLogAsync();
        await using var other = await fixture.StartLogAsync();
        var room = NewRoom();

        var results = await Task.WhenAll(Enumerable.Range(0, 600)
            .Select(i => (i % 2 == 0 ? one : other).AppendAsync(LogFixture.Message(room, $"user{i % 7}", $"n{i}"))));

        Assert.Equal(Enumerable.Range(1, 600).Select(i => (long)i), results.Select(result => result.Seq).Order());
    }

    [Fact]
    public async Task An_acknowledged_event_is_in_the_tail_and_in_the_partitions_log()
    {
        await using var running = await fixture.StartLogAsync();
        var key = ConversationKey.Direct("bob", $"alice-{Guid.NewGuid():N}");
        var e = LogFixture.Message(key, "bob", "n", "Grüße \"👍\"");

        var result = await running.AppendAsync(e);

        var slice = await running.Log.ReadTailAsync(key, 0, 10, CancellationToken.None);
        Assert.Equal(e with { Seq = 1, Epoch = LogFixture.Epoch }, Assert.Single(slice.Events));
        Assert.Equal((1L, true), (slice.Head, slice.Complete));
        var entry = (await fixture.Database.StreamRangeAsync(RedisKeys.Log(key.Partition), "-", "+", 1, Order.Descending)).Single();
        var field = Assert.Single(entry.Values);
        Assert.Equal(key.Value, (string?)field.Name);
        Assert.Equal(EventBatch.Of(slice.Events[0]).Encode(), (byte[])field.Value!);
        Assert.Equal(e.Id, result.Id);
    }

    [Fact]
    public async Task A_repeated_nonce_gets_the_first_ack_again_and_its_content_is_ignored()
    {
        await using var one = await fixture.StartLogAsync();
        await using var other = await fixture.StartLogAsync();
        var room = NewRoom();
        var first = await one.AppendAsync(LogFixture.Message(room, "alice", "same", "first"));
        await one.AppendAsync(LogFixture.Message(room, "alice", "another"));

        var again = await other.AppendAsync(LogFixture.Message(room, "alice", "same", "second"));
        var bobs = await other.AppendAsync(LogFixture.Message(room, "bob", "same"));

        Assert.Equal(first with { Status = AppendStatus.Duplicate }, again);
        Assert.Equal((AppendStatus.Accepted, 3L), (bobs.Status, bobs.Seq));
        var tail = await one.Log.ReadTailAsync(room, 0, 10, CancellationToken.None);
        Assert.Equal(["first", "hello", "hello"], tail.Events.Select(e => e.Content));
    }

    [Fact]
    public async Task A_nonce_repeated_within_one_batch_is_one_event()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRoom();

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => running.AppendAsync(LogFixture.Message(room, "alice", "same"))));

        Assert.Single(results, result => result.Status == AppendStatus.Accepted);
        Assert.All(results, result => Assert.Equal(1L, result.Seq));
    }

    [Theory]
    [InlineData(23, 59)]
    [InlineData(0, 5)]
    public async Task A_nonce_is_remembered_for_24_hours_across_midnight_and_from_a_node_whose_clock_is_ahead(int hour, int minute)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, hour, minute, 0, TimeSpan.Zero));
        var room = NewRoom();
        await using var running = await fixture.StartLogAsync(time: time);
        var first = await running.AppendAsync(LogFixture.Message(room, "alice", "n"));

        time.Advance(TimeSpan.FromHours(23.9));
        var nearlyADayLater = await running.AppendAsync(LogFixture.Message(room, "alice", "n"));
        await using var slow = await fixture.StartLogAsync(time: new FakeTimeProvider(new DateTimeOffset(2026, 2, 28, 23, 59, 59, TimeSpan.Zero)));
        var fromASlowClock = await slow.AppendAsync(LogFixture.Message(room, "alice", "n"));

        Assert.Equal((AppendStatus.Duplicate, first.Id), (nearlyADayLater.Status, nearlyADayLater.Id));
        Assert.Equal((AppendStatus.Duplicate, first.Id), (fromASlowClock.Status, fromASlowClock.Id));
    }

    [Fact]
    public async Task Nonces_are_forgotten_in_the_end()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2031, 5, 5, 12, 0, 0, TimeSpan.Zero));
        await using var running = await fixture.StartLogAsync(time: time);
        var room = NewRoom();

        await running.AppendAsync(LogFixture.Message(room, "alice", "n"));

        var day = time.GetUtcNow().ToUnixTimeMilliseconds() / 86_400_000;
        var left = await fixture.Database.KeyTimeToLiveAsync(RedisKeys.Nonces(room.Partition, day));
        Assert.InRange(left!.Value, TimeSpan.FromHours(48), TimeSpan.FromHours(50));
    }

    [Fact]
    public async Task Only_a_member_may_send_where_membership_is_demanded()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRoom();

        var nowhere = await running.AppendAsync(LogFixture.Message(room, "alice", "n"), requireMember: true);
        await running.Log.JoinAsync(room.RoomId, "bob", CancellationToken.None);
        var stranger = await running.AppendAsync(LogFixture.Message(room, "alice", "n"), requireMember: true);
        await running.Log.JoinAsync(room.RoomId, "alice", CancellationToken.None);
        var member = await running.AppendAsync(LogFixture.Message(room, "alice", "n"), requireMember: true);

        Assert.Equal((AppendStatus.NoSuchRoom, AppendStatus.NotMember), (nowhere.Status, stranger.Status));
        Assert.Equal((AppendStatus.Accepted, 1L), (member.Status, member.Seq));
    }

    [Fact]
    public async Task The_tail_keeps_its_length_but_never_loses_an_uncommitted_event()
    {
        await using var running = await fixture.StartLogAsync(new ConversationLogOptions { TailKeep = 10, BatchEvents = 50 });
        var room = NewRoom();
        for (var i = 0; i < 500; i++)
        {
            await running.AppendAsync(LogFixture.Message(room, "alice", $"a{i}"));
        }

        Assert.Equal(500, await fixture.Database.StreamLengthAsync(RedisKeys.Tail(room)));

        // Events up to 450 are committed, so only those above and the usual length must stay. Redis trims whole nodes of 100 entries.
        await fixture.Database.HashSetAsync(RedisKeys.Conversation(room), ConversationFields.Durable, 450);
        await running.AppendAsync(LogFixture.Message(room, "alice", "last"));

        var first = (await fixture.Database.StreamRangeAsync(RedisKeys.Tail(room), count: 1)).Single();
        Assert.InRange(long.Parse(((string)first.Id!).Split('-')[0]), 300, 451);
        var slice = await running.Log.ReadTailAsync(room, 450, 100, CancellationToken.None);
        Assert.Equal((51, true), (slice.Events.Count, slice.Complete));
        var older = await running.Log.ReadTailAsync(room, 0, 1_000, CancellationToken.None);
        Assert.False(older.Complete);
    }

    [Fact]
    public async Task Each_event_is_published_once_with_its_seq_to_every_channel_that_needs_it()
    {
        await using var running = await fixture.StartLogAsync();
        var (alice, bob) = ($"alice-{Guid.NewGuid():N}", $"bob-{Guid.NewGuid():N}");
        var subscriber = fixture.Redis.GetSubscriber();
        var alices = await subscriber.SubscribeAsync(RedisChannel.Literal(RedisChannels.User(alice)));
        var bobs = await subscriber.SubscribeAsync(RedisChannel.Literal(RedisChannels.User(bob)));

        await running.AppendAsync(LogFixture.Message(ConversationKey.Direct(alice, bob), alice, "n1"));
        await running.AppendAsync(LogFixture.Message(ConversationKey.Direct(alice, alice), alice, "n2"));
        await running.AppendAsync(LogFixture.Message(ConversationKey.Direct(bob, alice), bob, "n3"));

        Assert.Equal([1, 1, 2], await NextSeqsAsync(alices, 3));
        Assert.Equal([1, 2], await NextSeqsAsync(bobs, 2));
        Assert.False(bobs.TryRead(out _));
    }

    [Fact]
    public async Task Events_of_one_call_are_published_and_logged_together_and_each_is_there_once()
    {
        var room = NewRoom();
        var other = Enumerable.Range(0, 1_000).Select(i => ConversationKey.Room($"other-{i}")).First(key => key.Partition == room.Partition);
        var channel = await fixture.Redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisChannels.Room(room.RoomId)));
        var before = await fixture.Database.StreamLengthAsync(RedisKeys.Log(room.Partition));
        var batch = new AppendBatch(room.Partition, new ConversationLogOptions());
        var events = Enumerable.Range(1, 80).Select(i => LogFixture.Message(i % 2 == 0 ? room : other, "alice", $"n{i}-{room}", $"text {i}")).ToList();
        foreach (var e in events)
        {
            batch.Add(new AppendRequest(e, false, new Nobody()));
        }

        var (keys, arguments) = batch.ToCall(events[0].Timestamp);

        var results = batch.ReadReply(await fixture.Database.ScriptEvaluateAsync(RedisScripts.Append, keys, arguments))!;

        Assert.Equal(events.Select(e => e.Id), results.Select(result => result.Id));
        Assert.Equal(Enumerable.Range(1, 40).Select(i => (long)i), results.Where((_, i) => i % 2 == 1).Select(result => result.Seq));
        Assert.Equal(Enumerable.Range(1, 40).Select(i => (long)i), await NextSeqsAsync(channel, 40));
        Assert.InRange(await fixture.Database.StreamLengthAsync(RedisKeys.Log(room.Partition)) - before, 1, 3);
        var records = new List<LogEntry>();
        foreach (var entry in await fixture.Database.StreamRangeAsync(RedisKeys.Log(room.Partition)))
        {
            LogEntry.Read(entry, records);
        }

        Assert.Equal(events.Where(e => e.Conversation == room).Select(e => e.Content),
            records.Where(record => record.Conversation == room.Value).Select(record => ((ConversationEvent)record.Record!).Content));
    }

    [Fact]
    public async Task A_conversation_that_cannot_be_written_does_not_undo_events_accepted_before_it()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRoom();
        var broken = Enumerable.Range(0, 1_000).Select(i => ConversationKey.Room($"broken-{i}")).First(key => key.Partition == room.Partition);
        // The tail reaches beyond its head, so nothing can be appended.
        await fixture.Database.StreamAddAsync(RedisKeys.Tail(broken), TailFields.Record, "{}", "9-0");
        var batch = new AppendBatch(room.Partition, new ConversationLogOptions());
        batch.Add(new AppendRequest(LogFixture.Message(room, "alice", "n1", "kept"), false, new Nobody()));
        batch.Add(new AppendRequest(LogFixture.Message(broken, "alice", "n2"), false, new Nobody()));
        var (keys, arguments) = batch.ToCall(1_767_225_600_000);

        await Assert.ThrowsAsync<RedisServerException>(() => fixture.Database.ScriptEvaluateAsync(RedisScripts.Append, keys, arguments));
        var again = await fixture.Database.ScriptEvaluateAsync(RedisScripts.Append, keys[..9], OfFirst(arguments));

        Assert.StartsWith("1 ", (string?)((RedisResult[])again!)[1], StringComparison.Ordinal);
        var tail = await running.Log.ReadTailAsync(room, 0, 10, CancellationToken.None);
        Assert.Equal((1L, "kept"), (tail.Head, Assert.Single(tail.Events).Content));

        // This is the call for the first event alone.
        static RedisValue[] OfFirst(RedisValue[] both) => [.. both[..3], 1, .. both[4..9], .. both[10..17]];
    }

    private static async Task<List<long>> NextSeqsAsync(ChannelMessageQueue queue, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var seqs = new List<long>();
        while (seqs.Count < count)
        {
            var message = await queue.ReadAsync(patience.Token);
            Assert.True(EventBatch.TryRead((byte[])message.Message!, out var batch));
            seqs.AddRange(batch.Split().Select(record => record.Seq));
        }
        return seqs;
    }

    private sealed class Nobody : IAppendCompletion
    {
        public void Completed(ConversationEvent appended, AppendResult result)
        {
        }
    }

    private static ConversationKey NewRoom() => ConversationKey.Room($"room-{Guid.NewGuid():N}");
}
