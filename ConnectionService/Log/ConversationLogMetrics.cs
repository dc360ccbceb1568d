using System.Diagnostics.Metrics;

namespace AspireChat.ConnectionService.Log;

/// <summary>Measures of appending. Thread-safe.</summary>
internal sealed class ConversationLogMetrics
{
    private readonly Histogram<int> _batch;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _refused;

    public ConversationLogMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(ConnectionTelemetry.Name);
        _batch = meter.CreateHistogram<int>("aspirechat.append.batch", "{event}", "Events in one script call");
        _duration = meter.CreateHistogram<double>("aspirechat.append.duration", "s", "From the first attempt of a batch to its answer");
        _refused = meter.CreateCounter<long>("aspirechat.append.refused", "{event}", "Events answered unavailable, by reason");
    }

    public void Appended(int events, TimeSpan duration)
    {
        _batch.Record(events);
        _duration.Record(duration.TotalSeconds);
    }

    public void Refused(string reason, int events = 1) => _refused.Add(events, new KeyValuePair<string, object?>("reason", reason));
}
