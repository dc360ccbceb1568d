using System.Diagnostics.Metrics;

namespace AspireChat.PersistenceService.Writing;

/// <summary>Measures of the way into PostgreSQL. Thread-safe.</summary>
internal sealed class WritingMetrics
{
    /// <summary>The meter of the whole service.</summary>
    public const string MeterName = "AspireChat.PersistenceService";

    private readonly Histogram<int> _batchSize;
    private readonly Histogram<double> _batchDuration;
    private readonly Histogram<double> _delay;
    private readonly Counter<long> _entries;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _conflicts;

    public WritingMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _batchSize = meter.CreateHistogram<int>("aspirechat.persistence.batch.size", "{entry}", "Log entries in one transaction");
        _batchDuration = meter.CreateHistogram<double>("aspirechat.persistence.batch.duration", "s", "Time of one transaction");
        _delay = meter.CreateHistogram<double>("aspirechat.persistence.delay", "s", "Age of a batch's oldest entry when it was committed");
        _entries = meter.CreateCounter<long>("aspirechat.persistence.entries", "{entry}", "Log entries committed");
        _retries = meter.CreateCounter<long>("aspirechat.persistence.retries", "{attempt}",
            "Transactions that PostgreSQL could not take for the moment");
        _conflicts = meter.CreateCounter<long>(
            "aspirechat.persistence.conflicts", "{event}",
            "Alarm: events that contradict what is committed, by what they claim (seq, nonce)");
    }

    public void Written(int entries, TimeSpan duration, long ageMilliseconds)
    {
        _batchSize.Record(entries);
        _batchDuration.Record(duration.TotalSeconds);
        _delay.Record(ageMilliseconds / 1000.0);
        _entries.Add(entries);
    }

    public void Retried() => _retries.Add(1);

    public void Conflicted(string claim) => _conflicts.Add(1, new KeyValuePair<string, object?>("claim", claim));
}
