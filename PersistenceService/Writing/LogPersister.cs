using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Npgsql;

namespace AspireChat.PersistenceService.Writing;

/// <summary>An entry that cannot be stored, and why.</summary>
/// <param name="Missing">The event's seq is not in PostgreSQL.</param>
internal sealed record RejectedEntry(LogEntry Entry, string Reason, bool Missing);

/// <param name="Committed">The partition's place in the log that PostgreSQL has now; <see cref="LogPosition.None"/> if nothing was
/// written.</param>
/// <param name="Rejected">To be buried. Everything else is committed.</param>
internal sealed record PersistOutcome(LogPosition Committed, IReadOnlyList<RejectedEntry> Rejected);

/// <summary>
/// Writes a batch into PostgreSQL, however long it takes: waits while the server is away, and halves a batch that it refuses for its data
/// until the bad entries stand alone. Thread-safe.
/// </summary>
internal sealed partial class LogPersister(GroupCommit commit, WritingMetrics metrics, TimeProvider time, ILogger<LogPersister> logger)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(2);

    private readonly RecurringFault _outage = new(time);

    /// <summary>Returns when every entry is committed or rejected.</summary>
    /// <param name="advance">The entries are the next of the log; false for one that was put aside before.</param>
    /// <param name="stop">Ends the waiting for a PostgreSQL that is away; a transaction under way is finished.</param>
    /// <param name="abort">Ends that too.</param>
    /// <exception cref="OperationCanceledException">Given up; what was not committed was not acknowledged and is delivered
    /// again.</exception>
    public async Task<PersistOutcome> PersistAsync(
        int partition, IReadOnlyList<LogEntry> entries, bool advance, CancellationToken stop, CancellationToken abort)
    {
        var rejected = new List<RejectedEntry>();
        var good = new List<LogEntry>(entries.Count);
        foreach (var entry in entries)
        {
            if (entry.Record is not null)
            {
                good.Add(entry);
            }
            else
            {
                Reject(partition, entry, "the entry is not a record", missing: true, rejected);
            }
        }
        var committed = good.Count == 0 ? LogPosition.None : await WriteAsync(partition, good, advance, rejected, stop, abort);
        return new PersistOutcome(committed, rejected);
    }

    private async Task<LogPosition> WriteAsync(
        int partition, List<LogEntry> entries, bool advance, List<RejectedEntry> rejected, CancellationToken stop, CancellationToken abort)
    {
        var last = advance ? entries[^1].Position : LogPosition.None;
        for (var delay = FirstDelay; ; delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay)
        {
            try
            {
                var started = time.GetTimestamp();
                var conflicts = await commit.WriteAsync(new PartitionBatch(partition, entries, last), abort);
                var age = time.GetUtcNow().ToUnixTimeMilliseconds() - entries[0].Position.Milliseconds;
                metrics.Written(entries.Count, time.GetElapsedTime(started), age);
                foreach (var conflict in conflicts)
                {
                    Reject(partition, conflict, rejected);
                }

                return last;
            }
            catch (Exception e) when (DatabaseFaults.IsAboutData(e))
            {
                if (entries.Count == 1)
                {
                    var reason = e is PostgresException refused ? $"{refused.SqlState}: {refused.MessageText}" : e.Message;
                    Reject(partition, entries[0], reason, missing: true, rejected);
                    return LogPosition.None;
                }
                Bisecting(logger, e, partition, entries.Count);
                // In order: the first half's events are there before those of the second refer to them.
                var half = entries.Count / 2;
                var first = await WriteAsync(partition, entries[..half], advance, rejected, stop, abort);
                var second = await WriteAsync(partition, entries[half..], advance, rejected, stop, abort);
                return second > first ? second : first;
            }
            catch (Exception e) when (DatabaseFaults.Is(e))
            {
                metrics.Retried();
                if (_outage.IsDue(out var failures))
                {
                    Retrying(logger, e, partition, entries.Count, failures);
                }
            }
            await Task.Delay(delay, time, stop);
        }
    }

    private void Reject(int partition, Conflict conflict, List<RejectedEntry> rejected)
    {
        var reason = conflict.SeqTaken
            ? "conflict: another event has this conversation and seq"
            : "conflict: the sender's nonce stands at another seq of this conversation";
        metrics.Conflicted(conflict.SeqTaken ? "seq" : "nonce");
        Reject(partition, conflict.Entry, reason, missing: !conflict.SeqTaken, rejected);
    }

    private void Reject(int partition, LogEntry entry, string reason, bool missing, List<RejectedEntry> rejected)
    {
        Rejected(logger, partition, entry.Id.ToString(), entry.Conversation, entry.Seq, reason);
        rejected.Add(new RejectedEntry(entry, reason, missing && entry.Record is null or ConversationEvent));
    }

    [LoggerMessage(LogEvents.Persistence + 10, LogLevel.Warning,
        "PostgreSQL could not take {Count} entries of partition {Partition}; trying again ({Failures} failures since the last such line)")]
    private static partial void Retrying(ILogger logger, Exception exception, int partition, int count, long failures);

    [LoggerMessage(LogEvents.Persistence + 11, LogLevel.Warning,
        "PostgreSQL refused {Count} entries of partition {Partition} for their data; halving")]
    private static partial void Bisecting(ILogger logger, Exception exception, int partition, int count);

    [LoggerMessage(LogEvents.Persistence + 12, LogLevel.Error,
        "Entry {Id} of partition {Partition} ({Conversation}, seq {Seq}) cannot be stored and goes to the dead letters: {Reason}")]
    private static partial void Rejected(ILogger logger, int partition, string id, string conversation, long seq, string reason);
}

internal static class WritingExtensions
{
    /// <summary>The way of a batch into PostgreSQL.</summary>
    public static IHostApplicationBuilder AddWriting(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<WritingMetrics>();
        builder.Services.AddSingleton<UnindexedConversations>();
        builder.Services.AddSingleton<BatchWriter>();
        builder.Services.AddSingleton<GroupCommit>();
        builder.Services.AddSingleton<LogPersister>();
        return builder;
    }
}
