using System.Diagnostics.Metrics;

namespace AspireChat.PresenceService;

/// <summary>What the service counts, on the meter <c>AspireChat.PresenceService</c>. Thread-safe.</summary>
public sealed class PresenceMetrics
{
    private readonly Counter<long> _reports;
    private readonly Counter<long> _changes;
    private readonly Counter<long> _frames;
    private readonly Counter<long> _leases;
    private readonly Histogram<double> _sweeps;

    public PresenceMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("AspireChat.PresenceService");
        _reports = meter.CreateCounter<long>("aspirechat.presence.reports", "{report}", "Reports of replicas, by outcome.");
        _changes = meter.CreateCounter<long>("aspirechat.presence.changes", "{user}", "Users who came online or went offline, by state.");
        _frames = meter.CreateCounter<long>(
            "aspirechat.presence.frames", "{frame}", "Frames published, by type; each is sent to many connections.");
        _leases = meter.CreateCounter<long>("aspirechat.presence.leases_ended", "{lease}", "Replicas that stopped reporting.");
        _sweeps = meter.CreateHistogram<double>(
            "aspirechat.presence.sweep.duration", "s", "One look at the timers and the work found due.");
    }

    /// <param name="outcome"><c>applied</c>, <c>stale</c> or <c>need_full</c>.</param>
    internal void Reported(string outcome) => _reports.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    internal void CameOnline(int users) => Change(users, "online");

    internal void WentOffline(long users) => Change(users, "offline");

    internal void Told(string type, long frames)
    {
        if (frames > 0)
        {
            _frames.Add(frames, new KeyValuePair<string, object?>("type", type));
        }
    }

    internal void LeaseEnded() => _leases.Add(1);

    internal void Swept(TimeSpan elapsed) => _sweeps.Record(elapsed.TotalSeconds);

    private void Change(long users, string state)
    {
        if (users > 0)
        {
            _changes.Add(users, new KeyValuePair<string, object?>("state", state));
        }
    }
}
