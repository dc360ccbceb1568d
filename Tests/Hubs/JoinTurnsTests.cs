using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Hubs;

public sealed class JoinTurnsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly HeldLog _log = new();

    [Fact]
    public async Task A_user_who_joins_one_room_does_not_wait_for_the_hundreds_of_another()
    {
        var turns = new JoinTurns(_log, Options.Create(new HubOptions { Joins = 2 }), _time);
        var many = Enumerable.Range(0, 300).Select(i => turns.JoinAsync($"m{i}", "mallory", null, CancellationToken.None)).ToList();
        var one = turns.JoinAsync("lobby", "alice", null, CancellationToken.None);
        Assert.Equal(["m0", "m1"], _log.Asked);

        for (var asked = 2; asked < 5; asked++)
        {
            _log.AnswerNext();
            var seen = asked;
            await Eventually.IsTrueAsync(() => _log.Asked.Count > seen, "the next one is asked for");
        }

        Assert.Contains("lobby", _log.Asked);
        while (!many.TrueForAll(join => join.IsCompleted) || !one.IsCompleted)
        {
            await Eventually.IsTrueAsync(() => _log.AnswerNext() || many.TrueForAll(join => join.IsCompleted), "all have their turn");
            Assert.InRange(_log.MostAtOnce, 1, 2);
        }

        Assert.Equal(301, _log.Asked.Count);
    }

    [Fact]
    public async Task A_join_that_waits_too_long_is_answered_as_if_the_log_were_away_and_one_that_fails_ends_its_turn()
    {
        var turns = new JoinTurns(_log, Options.Create(new HubOptions { Joins = 1 }), _time);
        var first = turns.JoinAsync("m0", "mallory", null, CancellationToken.None);
        var late = turns.JoinAsync("m1", "mallory", null, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<LogUnavailableException>(() => late);

        var next = turns.JoinAsync("m2", "mallory", null, CancellationToken.None);
        _log.FailNext();
        await Assert.ThrowsAsync<LogUnavailableException>(() => first);
        await Eventually.IsTrueAsync(() => _log.Asked.Contains("m2"), "the next one has its turn");
        _log.AnswerNext();
        Assert.Equal("e1", (await next).Epoch);
    }

    private sealed class HeldLog : IConversationLog
    {
        private readonly Lock _gate = new();
        private readonly Queue<TaskCompletionSource<JoinResult>> _held = new();
        private readonly List<string> _asked = [];

        public int MostAtOnce { get; private set; }

        public IReadOnlyList<string> Asked
        {
            get
            {
                lock (_gate)
                {
                    return [.. _asked];
                }
            }
        }

        public bool AnswerNext() => TakeNext()?.TrySetResult(new JoinResult("e1", 0, 0, NewMember: true, 0)) == true;

        public void FailNext() => TakeNext()!.SetException(new LogUnavailableException("away"));

        public Task<JoinResult> RejoinAsync(string room, string user, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<JoinResult> JoinAsync(string room, string user, CancellationToken cancellationToken, int? rights = null)
        {
            lock (_gate)
            {
                _asked.Add(room);
                var held = new TaskCompletionSource<JoinResult>(TaskCreationOptions.RunContinuationsAsynchronously);
                _held.Enqueue(held);
                MostAtOnce = Math.Max(MostAtOnce, _held.Count);
                return held.Task;
            }
        }

        public bool TryAppend(in AppendRequest request) => throw new NotSupportedException();

        public Task<LeaveResult> LeaveAsync(string room, string user, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<RoomStrangers>> ReadStrangersAsync(
            IReadOnlyCollection<RoomUsers> rooms, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ReadResult> ReadAsync(ConversationKey conversation, string user, long seq, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<TailSlice> ReadTailAsync(
            ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyDictionary<ConversationKey, ConversationHead>> ReadHeadsAsync(
            IReadOnlyCollection<ConversationKey> conversations, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyDictionary<int, PartitionPlace>> ReadPlacesAsync(
            IReadOnlyCollection<int> partitions, CancellationToken cancellationToken) => throw new NotSupportedException();

        private TaskCompletionSource<JoinResult>? TakeNext()
        {
            lock (_gate)
            {
                return _held.TryDequeue(out var held) ? held : null;
            }
        }
    }
}
