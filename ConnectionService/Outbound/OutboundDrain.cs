using System.Collections.Concurrent;

namespace AspireChat.ConnectionService.Outbound;

/// <summary>
/// The node's drainers: a few workers write the queues that have something to send, one queue after the other, and run only while there are
/// such queues. A write never waits for a client (a full socket goes on by itself later), so no connection delays another. Queues that may
/// wait are written at one common tick. Thread-safe.
/// </summary>
internal sealed class OutboundDrain : IThreadPoolWorkItem, IDisposable
{
    /// <summary>Queues that a worker writes before it lets other work of the process have its thread.</summary>
    private const int Turn = 64;

    /// <summary>Waiting queues for which one worker more is started: waking a thread costs about as much as two writes.</summary>
    private const int QueuesPerWorker = 16;

    private readonly ConcurrentQueue<OutboundQueue> _ready = new();
    private readonly ConcurrentQueue<OutboundQueue> _waiting = new();
    private readonly int _mostWorkers = Math.Max(1, Environment.ProcessorCount);
    private readonly TimeSpan _delay;
    private readonly ITimer _timer;
    private int _backlog;
    private int _workers;
    private int _armed;

    public OutboundDrain(OutboundLimits limits, OutboundMetrics metrics, TimeProvider time)
    {
        metrics.Meter.CreateObservableGauge("aspirechat.socket.writers", () => Workers, "{worker}", "Workers that write to clients");
        _delay = limits.CoalesceFor;
        WritePrice = (long)(time.TimestampFrequency / limits.CoalesceAbove);
        _timer = time.CreateTimer(static drain => ((OutboundDrain)drain!).OnTick(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>Workers that are running, or about to.</summary>
    public int Workers => Volatile.Read(ref _workers);

    /// <summary>Frames of a busy connection wait for others.</summary>
    public bool Coalesces => _delay > TimeSpan.Zero;

    /// <summary>How long a write is paid for, in units of the clock's timestamp.</summary>
    public long WritePrice { get; }

    /// <summary>The queue has something to send now. It is drained once per call.</summary>
    public void Add(OutboundQueue queue)
    {
        _ready.Enqueue(queue);
        var backlog = Interlocked.Increment(ref _backlog);
        if (backlog > Volatile.Read(ref _workers) * QueuesPerWorker && TryClaimWorker())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>The queue has something to send within <see cref="OutboundLimits.CoalesceFor"/>: the tick calls its <see
    /// cref="OutboundQueue.Due"/>.</summary>
    public void AddLater(OutboundQueue queue)
    {
        _waiting.Enqueue(queue);
        if (Interlocked.Exchange(ref _armed, 1) == 0)
        {
            _timer.Change(_delay, Timeout.InfiniteTimeSpan);
        }
    }

    public void Execute()
    {
        for (var drained = 0; drained < Turn;)
        {
            if (_ready.TryDequeue(out var queue))
            {
                Interlocked.Decrement(ref _backlog);
                _ = queue.DrainAsync();
                drained++;
                continue;
            }
            Interlocked.Decrement(ref _workers);
            // A queue that was added meanwhile may have relied on this worker.
            if (_ready.IsEmpty || !TryClaimWorker())
            {
                return;
            }
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Dispose() => _timer.Dispose();

    private void OnTick()
    {
        Volatile.Write(ref _armed, 0);
        // A queue that is added from now on arms the next tick.
        for (var due = _waiting.Count; due > 0 && _waiting.TryDequeue(out var queue); due--)
        {
            queue.Due();
        }
    }

    private bool TryClaimWorker()
    {
        while (true)
        {
            var workers = Volatile.Read(ref _workers);
            if (workers >= _mostWorkers)
            {
                return false;
            }
            if (Interlocked.CompareExchange(ref _workers, workers + 1, workers) == workers)
            {
                return true;
            }
        }
    }
}
