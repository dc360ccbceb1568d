using System.Collections.Concurrent;
using System.Reflection;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Connections;

public sealed class ReadCursorsTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly FakeTimeProvider _time = new();
    private readonly IConversationLog _log = DispatchProxy.Create<IConversationLog, CursorLog>();

    private ConcurrentQueue<(string Conversation, long Seq)> Written => ((CursorLog)_log).Written;

    [Fact]
    public async Task Cursors_of_one_interval_are_written_together_and_the_last_wins()
    {
        var cursors = Create(perSecond: 1_000, burst: 1_000);
        cursors.Move(ConversationKey.Room("lobby"), 5);
        cursors.Move(ConversationKey.Room("lobby"), 7);
        cursors.Move(ConversationKey.Room("lobby"), 6);
        _time.Advance(Interval);
        await Eventually.IsTrueAsync(() => !Written.IsEmpty, "the cursor is written");
        Assert.Equal(("r:lobby", 7L), Assert.Single(Written));
    }

    [Fact]
    public async Task While_the_budget_is_spent_cursors_wait_and_newer_ones_replace_them()
    {
        var cursors = Create(perSecond: 1, burst: 2);
        for (var i = 0; i < 10; i++)
        {
            cursors.Move(ConversationKey.Room($"room{i}"), 1);
        }
        var tenths = 0;
        await Eventually.IsTrueAsync(() =>
        {
            Assert.InRange((double)Written.Count, 0, 3 + tenths / 10.0);
            cursors.Move(ConversationKey.Room("room9"), 2);
            _time.Advance(TimeSpan.FromMilliseconds(100));
            tenths++;
            return Written.Count >= 10;
        }, "all cursors are written");
        Assert.Equal(10, Written.Select(cursor => cursor.Conversation).Distinct().Count());
        Assert.All(Written.Where(cursor => cursor.Conversation == "r:room9"), cursor => Assert.Equal(2, cursor.Seq));
    }

    private ReadCursors Create(double perSecond, int burst) => new("alice", new TokenBucket(perSecond, burst, _time), _log, Interval, _time);

    public class CursorLog : DispatchProxy
    {
        internal ConcurrentQueue<(string Conversation, long Seq)> Written { get; } = new();

        protected override object Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Assert.Equal(nameof(IConversationLog.ReadAsync), targetMethod!.Name);
            Written.Enqueue((((ConversationKey)args![0]!).Value, (long)args[2]!));
            return Task.FromResult(default(ReadResult));
        }
    }
}
