using System.Diagnostics.Metrics;
using AspireChat.Contracts.Frames;

namespace AspireChat.ConnectionService.Connections;

/// <summary>Measures of the sockets and of what clients send. Thread-safe.</summary>
internal sealed class SocketMetrics
{
    private static readonly KeyValuePair<string, object?>[] ReceivedTags =
        [.. Enum.GetValues<ClientFrameType>().Select(type => Tag("type", type.ToString()))];

    private readonly UpDownCounter<long> _connections;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _signalsDropped;

    /// <summary>Frames by type, read when somebody looks: there are many, and a tag costs more than the rest of counting.</summary>
    private readonly long[] _received = new long[ReceivedTags.Length];

    public SocketMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(ConnectionTelemetry.Name);
        _connections = meter.CreateUpDownCounter<long>("aspirechat.socket.connections", "{connection}", "Open sockets");
        meter.CreateObservableCounter("aspirechat.socket.received", Received, "{frame}", "Frames from clients, by type");
        _refused = meter.CreateCounter<long>("aspirechat.socket.refused", "{frame}",
            "Frames from clients answered by an error, by its code");
        _signalsDropped = meter.CreateCounter<long>("aspirechat.socket.signals_dropped", "{frame}",
            "Typing notices of users who sent too many, and signals while too many were under way to Redis");
    }

    /// <summary>A typing notice was dropped because its user had sent too many, or a signal because too many were under way.</summary>
    public void SignalDropped() => _signalsDropped.Add(1);

    public void Opened() => _connections.Add(1);

    public void Closed() => _connections.Add(-1);

    public void Received(ClientFrameType type) => Interlocked.Increment(ref _received[(int)type]);

    public void Refused(string code) => _refused.Add(1, Tag("code", code));

    private IEnumerable<Measurement<long>> Received()
    {
        for (var i = 0; i < _received.Length; i++)
        {
            if (Volatile.Read(ref _received[i]) is > 0 and var count)
            {
                yield return new Measurement<long>(count, ReceivedTags[i]);
            }
        }
    }

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);
}
