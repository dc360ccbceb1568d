using System.Diagnostics.Metrics;

namespace AspireChat.Client;

/// <summary>
/// Counters of all clients in the process, on the meter <c>AspireChat.Client</c>: what was lost and how it was repaired. Thread-safe.
/// </summary>
internal static class ClientMetrics
{
    private static readonly Meter Meter = new("AspireChat.Client");

    public static readonly Counter<long> Reconnects =
        Meter.CreateCounter<long>("aspirechat.client.reconnects", "{connection}", "Lost connections that are being replaced, by close code.");

    public static readonly Counter<long> Resent =
        Meter.CreateCounter<long>("aspirechat.client.sends.repeated", "{event}", "Sends that were repeated with their nonce.");

    public static readonly Counter<long> Repairs =
        Meter.CreateCounter<long>("aspirechat.client.repairs", "{page}", "Pages of history that were read to find missing events.");

    public static readonly Counter<long> Repeats =
        Meter.CreateCounter<long>("aspirechat.client.events.repeated", "{event}", "Events that arrived again and were dropped.");

    public static readonly Counter<long> Gaps =
        Meter.CreateCounter<long>("aspirechat.client.events.missing", "{event}", "Events that were reported as a gap.");

    public static readonly Counter<long> Dropped =
        Meter.CreateCounter<long>("aspirechat.client.items.dropped", "{item}", "Items such as typing that were dropped for a slow reader.");
}
