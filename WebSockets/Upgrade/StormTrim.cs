using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AspireChat.WebSockets;

/// <summary>Counts the connections that are handed over, and again when they end. Thread-safe.</summary>
public sealed class HandoverCount
{
    private long _changes;

    public long Changes => Volatile.Read(ref _changes);

    public void Changed() => Interlocked.Increment(ref _changes);
}

/// <summary>Configuration section <c>Memory</c>.</summary>
public sealed class MemoryOptions
{
    public const string Section = "Memory";

    /// <summary>
    /// True: after a storm of connections that came or went, once the process is quiet again, the memory that their handshakes took is
    /// given back to the system. False: that is left to the collector, which has no reason to hurry. Default true.
    /// </summary>
    public bool TrimAfterStorms { get; set; } = true;
}

/// <summary>
/// Gives memory back after storms of connects or disconnects. Thousands of handshakes leave as much garbage, and holes between what lives
/// on, as the connections themselves take. A process that is idle from then on allocates too little for the collector to run again. One
/// blocking compaction repairs that when nothing waits for it: never under load, and never without a storm before it.
/// </summary>
internal sealed partial class StormTrim(
    HandoverCount connections, IOptions<MemoryOptions> options, TimeProvider time, ILogger<StormTrim> logger) : BackgroundService
{
    /// <summary>Connections that came or went since the last trim. Fewer leave too little behind.</summary>
    private const int Storm = 500;

    /// <summary>A step with more of them is still part of the storm.</summary>
    private const int CalmChanges = 20;

    /// <summary>A step in which more than this was allocated has traffic.</summary>
    private const long CalmBytes = 8 * 1024 * 1024;

    /// <summary>From the range that the services' table of event ids leaves to this library: 1020 to 1029.</summary>
    private const int TrimmedEvent = 1020;

    private static readonly TimeSpan Step = TimeSpan.FromSeconds(2);

    private long _trimmedAt;
    private long _changes;
    private long _allocated;

    /// <summary>Called once per step. True when it is time to trim: the storm is over, and nothing much has happened since.</summary>
    internal bool IsDue(long changes, long allocated)
    {
        var isCalm = changes - _changes <= CalmChanges && allocated - _allocated <= CalmBytes;
        (_changes, _allocated) = (changes, allocated);
        if (!isCalm || changes - _trimmedAt < Storm)
        {
            return false;
        }
        _trimmedAt = changes;
        return true;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.TrimAfterStorms)
        {
            return;
        }
        using var timer = new PeriodicTimer(Step, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (IsDue(connections.Changes, GC.GetTotalAllocatedBytes()))
                {
                    Trim();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private void Trim()
    {
        var before = Environment.WorkingSet;
        var started = Stopwatch.GetTimestamp();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        LogTrimmed((before - Environment.WorkingSet) / (1024 * 1024), Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    [LoggerMessage(TrimmedEvent, LogLevel.Information,
        "A storm of connections is over: {MiB} MiB were given back in {Milliseconds:F0} ms.")]
    private partial void LogTrimmed(long mib, double milliseconds);
}
