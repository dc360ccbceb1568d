using System.Diagnostics.Metrics;

namespace AspireChat.ConnectionService.Presence;

/// <summary>What the reporting side of presence counts.</summary>
public sealed class PresenceReportingMetrics
{
    private readonly Counter<long> _typingDropped;
    private readonly Histogram<double> _reports;

    public PresenceReportingMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(ConnectionTelemetry.Name);
        _typingDropped = meter.CreateCounter<long>(
            "aspirechat.presence_reports.typing_dropped", "{notice}", "Typing notices that were not reported, by reason.");
        _reports = meter.CreateHistogram<double>("aspirechat.presence_reports.duration", "s", "Reports to PresenceService, by outcome.");
    }

    /// <param name="reason"><c>full</c>: too many since the last report; <c>away</c>: PresenceService did not answer.</param>
    internal void TypingDropped(int count, string reason) => _typingDropped.Add(count, new KeyValuePair<string, object?>("reason", reason));

    /// <param name="outcome"><c>change</c>, <c>full</c>, <c>need_full</c> or <c>failed</c>.</param>
    internal void Reported(string outcome, TimeSpan elapsed) =>
        _reports.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));
}
