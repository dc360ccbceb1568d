using System.Diagnostics.Metrics;

namespace AspireChat.Client;

/// <summary>
/// Counters of all clients in the process, meter <c>AspireChat.Client</c>: what was lost on the way and made good. Thread-safe.
/// </summary>
internal static class ClientMetrics
{
    private static readonly Meter Meter = new("AspireChat.Client");

    public static readonly Counter<long> Reconnects =
        Meter.CreateCounter<long>("aspirechat.client.reconnects", "{connection}", "Connections lost and made again, by close code.");

    public static readonly Counter<long> Resent =
        Meter.CreateCounter<long>("aspirechat.client.sends.repeated", "{event}", "Sends repeated with their nonce.");

    public static readonly Counter<long> Repairs =
        Meter.CreateCounter<long>("aspirechat.client.repairs", "{page}", "Pages of history read to find missing events.");

    public static readonly Counter<long> Repeats =
        Meter.CreateCounter<long>("aspirechat.client.events.repeated", "{event}", "Events that came again and were dropped.");

    public static readonly Counter<long> Gaps =
        Meter.CreateCounter<long>("aspirechat.client.events.missing", "{event}", "Events reported as a gap.");

    public static readonly Counter<long> Dropped =
        Meter.CreateCounter<long>("aspirechat.client.items.dropped", "{item}", "Typing, presence and the like, dropped for a slow reader.");
}
