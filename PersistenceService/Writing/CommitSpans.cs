using System.Diagnostics;
using AspireChat.RedisLog;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// The spans of a transaction in the traces of its messages. The transaction itself, with its SQL, is a span in the trace of the first
/// traced message and links to the others. Each of those gets a span of the same time that links back. A transaction without a traced
/// message has no span, and neither has its SQL. Belongs to one transaction.
/// </summary>
internal sealed class CommitSpans : IDisposable
{
    /// <summary>Most spans of one transaction; further messages get none.</summary>
    private const int Most = 128;

    private static readonly ActivitySource Source = new("AspireChat.PersistenceService");

    private readonly List<LogEntry> _traced;
    private readonly int _records;
    private readonly Activity _transaction;

    private CommitSpans(List<LogEntry> traced, int records, Activity transaction)
    {
        _traced = traced;
        _records = records;
        _transaction = transaction;
    }

    /// <summary>Begins the transaction's span, which is the current one until disposed; null when no message is traced.</summary>
    public static CommitSpans? Start(IReadOnlyList<PartitionBatch> batches)
    {
        List<LogEntry>? traced = null;
        var records = 0;
        foreach (var batch in batches)
        {
            records += batch.Entries.Count;
            for (var i = 0; i < batch.Entries.Count && (traced is null || traced.Count < Most); i++)
            {
                if (batch.Entries[i].Record is TracedEvent)
                {
                    (traced ??= []).Add(batch.Entries[i]);
                }
            }
        }
        if (traced is null)
        {
            return null;
        }

        var links = traced.Skip(1).Select(entry => new ActivityLink(TraceOf(entry)));
        if (Source.StartActivity("commit", ActivityKind.Consumer, TraceOf(traced[0]), links: links) is not { } transaction)
        {
            return null;
        }

        Describe(transaction, traced[0], records);
        transaction.SetTag("aspirechat.commit.partitions", batches.Count);
        return new CommitSpans(traced, records, transaction);
    }

    /// <summary>The transaction is committed.</summary>
    public void Committed()
    {
        foreach (var entry in _traced.Skip(1))
        {
            using var span = Source.StartActivity(
                "commit", ActivityKind.Consumer, TraceOf(entry), links: [new ActivityLink(_transaction.Context)],
                startTime: _transaction.StartTimeUtc);
            if (span is not null)
            {
                Describe(span, entry, _records);
            }
        }
    }

    /// <summary>PostgreSQL refused, or is away. It will be tried again.</summary>
    public void Failed(Exception e) => _transaction.SetStatus(ActivityStatusCode.Error, e.GetType().Name);

    public void Dispose() => _transaction.Dispose();

    private static ActivityContext TraceOf(LogEntry entry) => ((TracedEvent)entry.Record!).Trace;

    private static void Describe(Activity span, LogEntry entry, int records)
    {
        var e = (TracedEvent)entry.Record!;
        span.SetTag("messaging.operation.name", "commit");
        span.SetTag("messaging.operation.type", "process");
        span.SetTag("messaging.destination.name", entry.Conversation);
        span.SetTag("messaging.message.id", e.Id.ToString());
        span.SetTag("messaging.batch.message_count", records);
        span.SetTag("aspirechat.seq", entry.Seq);
        // Measured from the log's clock to this one, so it includes the difference of the two clocks.
        var inLog = new DateTimeOffset(span.StartTimeUtc).ToUnixTimeMilliseconds() - entry.Position.Milliseconds;
        span.SetTag("aspirechat.commit.waited_ms", Math.Max(0, inLog));
    }
}
