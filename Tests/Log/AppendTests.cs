using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Redis;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using ChannelMessage = AspireChat.Contracts.Redis.ChannelMessage;

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
    public async Task What_is_acknowledged_stands_in_the_tail_and_in_the_partition_log()
    {
        await using var running = await fixture.StartLogAsync();
        var key = ConversationKey.Direct("bob", $"alice-{Guid.NewGuid():N}");
        var e = LogFixture.Message(key, "bob", "n", "Grüße \"👍\"");

        var result = await running.AppendAsync(e);

        var slice = await running.Log.ReadTailAsync(key, 0, 10, CancellationToken.None);
        Assert.Equal(e with { Seq = 1, Epoch = LogFixture.Epoch }, Assert.Single(slice.Events));
        Assert.Equal((1L, true), (slice.Head, slice.Complete));
        var entry = (await fixture.Database.StreamRangeAsync(RedisKeys.Log(key.Partition), "-", "+", 1, Order.Descending)).Single();
        Assert.Equal((key.Value, "1", LogFixture.Epoch),
            ((string?)entry[LogFields.Conversation], (string?)entry[LogFields.Seq], (string?)entry[LogFields.Epoch]));
        Assert.Equal(e with { Seq = 1, Epoch = LogFixture.Epoch }, LogRecordCodec.Decode((byte[])entry[LogFields.Record]!, 1, LogFixture.Epoch));
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
    public async Task Nonces_do_not_stay_for_ever()
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
    public async Task Only_a_member_sends_where_membership_is_asked_for()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRoom();

        var stranger = await running.AppendAsync(LogFixture.Message(room, "alice", "n"), requireMember: true);
        await running.Log.JoinAsync(room.RoomId, "alice", CancellationToken.None);
        var member = await running.AppendAsync(LogFixture.Message(room, "alice", "n"), requireMember: true);

        Assert.Equal(AppendStatus.NotMember, stranger.Status);
        Assert.Equal((AppendStatus.Accepted, 1L), (member.Status, member.Seq));
    }

    [Fact]
    public async Task The_tail_keeps_its_length_but_never_loses_what_is_not_committed()
    {
        await using var running = await fixture.StartLogAsync(new ConversationLogOptions { TailKeep = 10, BatchEvents = 50 });
        var room = NewRoom();
        for (var i = 0; i < 500; i++)
            await running.AppendAsync(LogFixture.Message(room, "alice", $"a{i}"));
        Assert.Equal(500, await fixture.Database.StreamLengthAsync(RedisKeys.Tail(room)));

        // Committed up to 450: from now on only 451.. and the usual length must stay. Redis trims whole nodes of 100 entries.
        await fixture.Database.HashSetAsync(RedisKeys.Conversation(room), "durable", 450);
        await running.AppendAsync(LogFixture.Message(room, "alice", "last"));

        var first = (await fixture.Database.StreamRangeAsync(RedisKeys.Tail(room), count: 1)).Single();
        Assert.InRange(long.Parse(((string)first.Id!).Split('-')[0]), 300, 451);
        var slice = await running.Log.ReadTailAsync(room, 450, 100, CancellationToken.None);
        Assert.Equal((51, true), (slice.Events.Count, slice.Complete));
        var older = await running.Log.ReadTailAsync(room, 0, 1_000, CancellationToken.None);
        Assert.False(older.Complete);
    }

    [Fact]
    public async Task Each_event_is_published_once_to_everyone_concerned_with_its_seq()
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

    private static async Task<List<long>> NextSeqsAsync(ChannelMessageQueue queue, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var seqs = new List<long>();
        while (seqs.Count < count)
        {
            var message = await queue.ReadAsync(patience.Token);
            Assert.True(ChannelMessage.TryParse((byte[])message.Message!, out var parsed));
            seqs.Add(parsed.Number);
        }
        return seqs;
    }

    private static ConversationKey NewRoom() => ConversationKey.Room($"room-{Guid.NewGuid():N}");
}
