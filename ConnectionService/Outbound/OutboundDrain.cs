using System.Collections.Concurrent;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Outbound;

/// <summary>
/// Writes the queues that have something to send, one after the other. A write never waits for a client (a full socket goes on by itself
/// later), so no connection delays another. A hub or an event loop writes what one of its turns filled at the end of that turn, on its own
/// thread: all frames that the turn had for a connection share a write. The rest is for a few workers, which run only while there are such
/// queues. Thread-safe.
/// </summary>
internal sealed class OutboundDrain : ILoopTurn, IThreadPoolWorkItem
{
    /// <summary>Queues that a worker writes before it lets other work of the process have its thread.</summary>
    private const int Turn = 64;

    /// <summary>Ready queues for which one worker more is started: waking a thread costs about as much as two writes.</summary>
    private const int QueuesPerWorker = 16;

    /// <summary>What the turn that runs on this thread has filled. Kept for the thread's next turn.</summary>
    [ThreadStatic]
    private static List<OutboundQueue>? _filled;

    [ThreadStatic]
    private static bool _isTurn;

    private readonly ConcurrentQueue<OutboundQueue> _ready = new();
    private readonly int _mostWorkers = Math.Max(1, Environment.ProcessorCount / 2);
    private int _backlog;
    private int _workers;

    public OutboundDrain(OutboundMetrics metrics) =>
        metrics.Meter.CreateObservableGauge("aspirechat.socket.writers", () => Workers, "{worker}", "Workers that write to clients");

    /// <summary>Workers that are running, or about to.</summary>
    public int Workers => Volatile.Read(ref _workers);

    /// <summary>Until <see cref="End"/>, queues that this thread fills are not written. The thread must not change within a turn.</summary>
    public void Begin() => _isTurn = true;

    /// <summary>Writes what the turn filled. Of very many queues the workers get all but the first, so that the hub can go on.</summary>
    public void End()
    {
        _isTurn = false;
        if (_filled is not { } filled)
        {
            return;
        }
        for (var i = 0; i < filled.Count; i++)
        {
            if (i < Turn)
            {
                _ = filled[i].DrainAsync();
            }
            else
            {
                AddReady(filled[i]);
            }
        }
        filled.Clear();
    }

    /// <summary>The queue has something to send. It is drained once per call.</summary>
    public void Add(OutboundQueue queue)
    {
        if (_isTurn)
        {
            (_filled ??= []).Add(queue);
        }
        else
        {
            AddReady(queue);
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

    private void AddReady(OutboundQueue queue)
    {
        _ready.Enqueue(queue);
        var backlog = Interlocked.Increment(ref _backlog);
        if (backlog > Volatile.Read(ref _workers) * QueuesPerWorker && TryClaimWorker())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
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
