using System.Diagnostics.Metrics;

namespace AspireChat.Gateway.RateLimits;

/// <summary>Why the gateway refused something: the tag <c>reason</c>.</summary>
internal static class Refusal
{
    public const string Connections = "connections";
    public const string Requests = "requests";
    public const string Sockets = "sockets";
    public const string Handshake = "handshake";
    public const string Turn = "turn";
    public const string Calls = "calls";
    public const string Origin = "origin";
    public const string Host = "host";
}

/// <summary>
/// Counts what the gateway refused for a limit or a rule of its own. Bad tokens and slow requests are in the framework's metrics
/// (<c>aspnetcore.authentication.*</c>, <c>kestrel.connection.duration</c> by <c>error.type</c>), and so is the limit of all connections
/// (<c>kestrel.rejected_connections</c>). Thread-safe.
/// </summary>
internal sealed class RefusalMetrics
{
    private readonly Counter<long> _refused;

    public RefusalMetrics(IMeterFactory meters) =>
        _refused = meters.Create("AspireChat.Gateway").CreateCounter<long>(
            "aspirechat.gateway.refused", "{refusal}", "Requests and connections that were refused, by reason");

    public void Add(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
