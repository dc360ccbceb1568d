using System.Diagnostics.Metrics;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>Measures of the hubs. Thread-safe.</summary>
internal sealed class HubMetrics
{
    public HubMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(ConnectionTelemetry.Name);
        Gaps = meter.CreateCounter<long>("aspirechat.hub.gaps", "{gap}", "Jumps in seq seen on pub/sub");
        Repairs = meter.CreateCounter<long>("aspirechat.hub.repairs", "{read}", "Reads of a conversation's tail to repair it");
        Holes = meter.CreateCounter<long>("aspirechat.hub.holes", "{hole}",
            "Gaps that the tail no longer held: clients fetch them over HTTP");
        Conflicts = meter.CreateCounter<long>("aspirechat.hub.conflicts", "{event}",
            "One place in the log claimed by two events: an alarm");
        Replayed = meter.CreateCounter<long>("aspirechat.hub.replayed", "{event}", "Events sent in replays");
        Delivered = meter.CreateCounter<long>("aspirechat.hub.delivered", "{event}", "Live events handed to local connections");
        Dropped = meter.CreateCounter<long>("aspirechat.hub.dropped", "{message}", "Pub/sub messages not handled, by reason");
        Faults = meter.CreateCounter<long>("aspirechat.hub.faults", "{fault}", "Messages that a hub failed on: bugs");
        LongTurns = meter.CreateCounter<long>("aspirechat.hub.turns.long", "{turn}",
            "Messages that a hub took more than 20 ms for, by type: an alarm");
        Meter = meter;
    }

    public Meter Meter { get; }

    public Counter<long> Gaps { get; }

    public Counter<long> Repairs { get; }

    public Counter<long> Holes { get; }

    public Counter<long> Conflicts { get; }

    public Counter<long> Replayed { get; }

    public Counter<long> Delivered { get; }

    public Counter<long> Faults { get; }

    private Counter<long> Dropped { get; }

    private Counter<long> LongTurns { get; }

    public void CountLongTurn(string message) => LongTurns.Add(1, new KeyValuePair<string, object?>("message", message));

    public void CountDropped(string reason) => Dropped.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
