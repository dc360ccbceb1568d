using System.Diagnostics.Metrics;
using AspireChat.Contracts.Frames;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>Measures of the sockets. Thread-safe.</summary>
internal sealed class SocketMetrics
{
    private static readonly KeyValuePair<string, object?>[] ReceivedTags =
        [.. Enum.GetValues<ClientFrameType>().Select(type => Tag("type", type.ToString()))];

    private readonly UpDownCounter<long> _connections;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _sentBytes;
    private readonly Counter<long> _writes;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _closes;

    /// <summary>Frames by type, read when somebody looks: there are many, and a tag costs more than the rest of counting.</summary>
    private readonly long[] _received = new long[ReceivedTags.Length];

    public SocketMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("AspireChat.ConnectionService");
        _connections = meter.CreateUpDownCounter<long>("aspirechat.socket.connections", "{connection}", "Open sockets");
        meter.CreateObservableCounter("aspirechat.socket.received", Received, "{frame}", "Frames from clients, by type");
        _sent = meter.CreateCounter<long>("aspirechat.socket.sent", "{frame}", "Frames to clients");
        _writes = meter.CreateCounter<long>("aspirechat.socket.writes", "{write}", "Writes that the frames to clients shared");
        _sentBytes = meter.CreateCounter<long>("aspirechat.socket.sent.size", "By", "Bytes of the frames to clients");
        _dropped = meter.CreateCounter<long>("aspirechat.socket.dropped", "{frame}", "Frames to clients that were not sent, by reason");
        _refused = meter.CreateCounter<long>("aspirechat.socket.refused", "{frame}",
            "Frames from clients answered by an error, by its code");
        _closes = meter.CreateCounter<long>("aspirechat.socket.closes", "{connection}",
            "Ended connections, by the close code sent, or aborted");
        Meter = meter;
    }

    public Meter Meter { get; }

    public void Opened() => _connections.Add(1);

    public void Closed() => _connections.Add(-1);

    public void Received(ClientFrameType type) => Interlocked.Increment(ref _received[(int)type]);

    public void Sent(int frames, int bytes)
    {
        _writes.Add(1);
        _sent.Add(frames);
        _sentBytes.Add(bytes);
    }

    public void Dropped(string reason, int frames = 1) => _dropped.Add(frames, Tag("reason", reason));

    public void Refused(string code) => _refused.Add(1, Tag("code", code));

    /// <param name="code">0: aborted.</param>
    public void Closing(int code) => _closes.Add(1, Tag("code", code));

    private IEnumerable<Measurement<long>> Received()
    {
        for (var i = 0; i < _received.Length; i++)
        {
            if (Volatile.Read(ref _received[i]) is > 0 and var count)
                yield return new Measurement<long>(count, ReceivedTags[i]);
        }
    }

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);
}
