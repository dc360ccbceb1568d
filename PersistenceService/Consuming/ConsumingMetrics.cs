using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using AspireChat.PersistenceService.Writing;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>Measures of the log's consumers. Thread-safe.</summary>
internal sealed class ConsumingMetrics
{
    private readonly ConcurrentDictionary<int, long> _left = new();
    private readonly Counter<long> _claimed;
    private readonly Counter<long> _buried;

    public ConsumingMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(WritingMetrics.MeterName);
        _claimed = meter.CreateCounter<long>("aspirechat.persistence.claimed", "{entry}",
            "Log entries taken over from a consumer that did not finish them");
        _buried = meter.CreateCounter<long>("aspirechat.persistence.dead_letters", "{entry}", "Log entries that PostgreSQL refused");
        meter.CreateObservableGauge(
            "aspirechat.persistence.lag",
            () => _left.Select(pair => new Measurement<long>(pair.Value, new KeyValuePair<string, object?>("partition", pair.Key))),
            "{entry}",
            "Entries (of up to 63 events each) in the log of an owned partition, not committed yet");
    }

    public void Claimed(int entries) => _claimed.Add(entries);

    public void Buried(int entries)
    {
        if (entries > 0)
        {
            _buried.Add(entries);
        }
    }

    public void Left(int partition, long entries) => _left[partition] = entries;

    public void Forget(int partition) => _left.TryRemove(partition, out _);
}
