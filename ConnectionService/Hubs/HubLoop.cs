using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Outbound;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// Drives one hub: its mailbox in, and the hub's clock, which ticks slowly while nothing waits for it. The hub itself is the state machine
/// <see cref="Hub"/>.
/// </summary>
internal sealed class HubLoop(
    Hub hub, HubMailbox mailbox, OutboundDrain drain, HubOptions options, HubMetrics metrics, TimeProvider time, ILogger logger)
{
    /// <summary>A turn longer than this delays other users where they notice it.</summary>
    private static readonly TimeSpan LongTurn = TimeSpan.FromMilliseconds(20);

    /// <summary>Between two ticks of a hub that has neither rooms nor users: what expires is looked at once a second.</summary>
    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(1);

    /// <summary>Messages after which what they sent is written: more share more writes, and delay the first.</summary>
    private const int MostPerTurn = 16;

    private readonly RecurringFault _longTurns = new(time);
    private long _longest;
    private long _lastTick;
    private TimeSpan _next;

    public HubMailbox Mailbox => mailbox;

    /// <summary>How long ago the hub last handled a tick: grows when it is stuck or overloaded.</summary>
    public TimeSpan Lag => Volatile.Read(ref _lastTick) is var last && last == 0 ? TimeSpan.Zero : time.GetElapsedTime(last);

    /// <summary>The longest turn since this was last asked for. One caller.</summary>
    public TimeSpan TakeLongestTurn() => TimeSpan.FromTicks(Interlocked.Exchange(ref _longest, 0));

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // One tick at a time: it is set again when the hub has handled the last one, so a hub that is behind does not find many of them.
        using var timer = time.CreateTimer(static loop => ((HubLoop)loop!).Tick(), this, options.Tick, Timeout.InfiniteTimeSpan);
        _next = options.Tick;
        try
        {
            while (await mailbox.WaitAsync(cancellationToken))
            {
                if (_next > options.Tick)
                {
                    // The last tick may be long ago.
                    hub.SetClock(Milliseconds, time.GetUtcNow().ToUnixTimeMilliseconds());
                }
                while (TakeTurn(timer))
                {
                    // Until nothing waits.
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process ends; connections were closed before.
        }
    }

    /// <summary>Handles some messages and writes what they sent. False: there were none.</summary>
    private bool TakeTurn(ITimer timer)
    {
        var handled = 0;
        var started = time.GetTimestamp();
        drain.Begin();
        while (handled < MostPerTurn && mailbox.TryTake(out var message))
        {
            handled++;
            Handle(message!);
            var ended = time.GetTimestamp();
            Measure(message!, time.GetElapsedTime(started, ended));
            started = ended;
            // Here and not behind the loop, which does not end while the mailbox never empties.
            var next = NextTick();
            if (message is HubMessage.Tick || next < _next)
            {
                _next = next;
                timer.Change(next > options.Tick ? SharedBeat.Next(next, time) : next, Timeout.InfiniteTimeSpan);
            }
        }
        drain.End();
        return handled > 0;
    }

    private TimeSpan NextTick()
    {
        if (hub.IsWaiting)
        {
            return options.Tick;
        }

        return hub.IsEmpty || options.HeadCheck > LongestTick ? LongestTick : options.HeadCheck;
    }

    private long Milliseconds => (long)time.GetElapsedTime(0).TotalMilliseconds;

    private void Tick() => mailbox.Post(new HubMessage.Tick(Milliseconds, time.GetUtcNow().ToUnixTimeMilliseconds()));

    private void Handle(HubMessage message)
    {
        try
        {
            hub.Handle(message);
        }
        catch (Exception e)
        {
            // A bug. The other conversations of this hub must not end with it.
            metrics.Faults.Add(1);
            HubLog.HandlingFailed(logger, e, message.GetType().Name);
        }
        if (message is HubMessage.Tick)
        {
            Volatile.Write(ref _lastTick, time.GetTimestamp());
        }
    }

    private void Measure(HubMessage message, TimeSpan turn)
    {
        if (turn.Ticks > Volatile.Read(ref _longest))
        {
            Volatile.Write(ref _longest, turn.Ticks);
        }
        if (turn < LongTurn)
        {
            return;
        }
        metrics.CountLongTurn(message.GetType().Name);
        if (_longTurns.IsDue(out var count))
        {
            HubLog.LongTurn(logger, message.GetType().Name, turn.TotalMilliseconds, count);
        }
    }
}
