using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// The node's drainers: queues with something to send are written by a few workers, each one queue after the other, and a worker runs
/// only while there are some. A write never waits for a client (a full socket goes on by itself later), so no connection delays another.
/// Queues that may wait are written at one common tick. Thread-safe.
/// </summary>
internal sealed class OutboundDrain : IThreadPoolWorkItem, IDisposable
{
    /// <summary>Queues written before a worker lets other work of the process have its thread.</summary>
    private const int Turn = 64;

    /// <summary>A worker more for each so many waiting queues: waking a thread costs about as much as two writes.</summary>
    private const int QueuesPerWorker = 16;

    private readonly ConcurrentQueue<OutboundQueue> _ready = new();
    private readonly ConcurrentQueue<OutboundQueue> _waiting = new();
    private readonly int _mostWorkers = Math.Max(1, Environment.ProcessorCount);
    private readonly TimeSpan _delay;
    private readonly ITimer _timer;
    private int _backlog;
    private int _workers;
    private int _armed;

    public OutboundDrain(IOptions<SocketOptions> options, SocketMetrics metrics, TimeProvider time, ILogger<OutboundDrain> logger)
    {
        Options = options.Value;
        Metrics = metrics;
        Time = time;
        Logger = logger;
        metrics.Meter.CreateObservableGauge("aspirechat.socket.writers", () => Workers, "{worker}", "Workers that write to clients");
        _delay = Options.CoalesceFor;
        WritePrice = (long)(time.TimestampFrequency / Options.CoalesceAbove);
        _timer = time.CreateTimer(static drain => ((OutboundDrain)drain!).OnTick(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public SocketOptions Options { get; }

    public SocketMetrics Metrics { get; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    /// <summary>How long a write is paid for, in units of the clock's timestamp.</summary>
    public long WritePrice { get; }

    /// <summary>Workers that are running, or about to.</summary>
    public int Workers => Volatile.Read(ref _workers);

    public FrameListPool Lists { get; } = new();

    /// <summary>The queue has something to send now. It is drained once per call.</summary>
    public void Add(OutboundQueue queue)
    {
        _ready.Enqueue(queue);
        var backlog = Interlocked.Increment(ref _backlog);
        if (backlog > Volatile.Read(ref _workers) * QueuesPerWorker && TryClaimWorker())
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The queue has something to send within <see cref="SocketOptions.CoalesceFor"/>: its time comes by <see
    /// cref="OutboundQueue.Due"/>.</summary>
    public void AddLater(OutboundQueue queue)
    {
        _waiting.Enqueue(queue);
        if (Interlocked.Exchange(ref _armed, 1) == 0)
            _timer.Change(_delay, Timeout.InfiniteTimeSpan);
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
            // Who added one meanwhile may have relied on this worker.
            if (_ready.IsEmpty || !TryClaimWorker())
                return;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Dispose() => _timer.Dispose();

    private void OnTick()
    {
        Volatile.Write(ref _armed, 0);
        // Who comes from now on arms the next tick.
        for (var due = _waiting.Count; due > 0 && _waiting.TryDequeue(out var queue); due--)
            queue.Due();
    }

    private bool TryClaimWorker()
    {
        while (true)
        {
            var workers = Volatile.Read(ref _workers);
            if (workers >= _mostWorkers)
                return false;
            if (Interlocked.CompareExchange(ref _workers, workers + 1, workers) == workers)
                return true;
        }
    }
}
