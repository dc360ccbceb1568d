using System.Diagnostics.Metrics;
using AspireChat.PersistenceService.Writing;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>Measures of opening and fencing. Thread-safe.</summary>
internal sealed class PartitionMetrics
{
    private readonly Counter<long> _opened;
    private readonly Counter<long> _fenced;
    private readonly Histogram<double> _duration;

    public PartitionMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(WritingMetrics.MeterName);
        _opened = meter.CreateCounter<long>("aspirechat.persistence.openings", "{partition}",
            "Partitions filled from PostgreSQL and opened with a new epoch");
        _fenced = meter.CreateCounter<long>("aspirechat.persistence.fences", "{partition}",
            "Alarm: partitions closed because Redis or PostgreSQL was restored");
        _duration = meter.CreateHistogram<double>("aspirechat.persistence.opening.duration", "s", "Time to fill and open partitions");
    }

    public void Opened(int partitions, TimeSpan duration)
    {
        _opened.Add(partitions);
        _duration.Record(duration.TotalSeconds);
    }

    public void Fenced() => _fenced.Add(1);
}
