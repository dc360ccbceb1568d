using System.Diagnostics.Metrics;

namespace AspireChat.ConnectionService.Hooks;

/// <summary>Measures of the hook before a send. Thread-safe.</summary>
internal sealed class HookMetrics
{
    private readonly Counter<long> _asked;
    private readonly Histogram<double> _duration;

    public HookMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(ConnectionTelemetry.Name);
        _asked = meter.CreateCounter<long>("aspirechat.hook.events", "{event}",
            "Events for the hook before a send, by what came of it (allowed, replaced, denied, down, busy, repeated)");
        _duration = meter.CreateHistogram<double>("aspirechat.hook.duration", "s", "Time of one call of the hook before a send");
    }

    public void Count(string outcome) => _asked.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Called(TimeSpan duration) => _duration.Record(duration.TotalSeconds);
}
