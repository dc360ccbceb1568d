using System.Diagnostics.Metrics;

namespace AspireChat.ConnectionService.Outbound;

/// <summary>Measures of what is sent to clients. Thread-safe.</summary>
internal sealed class OutboundMetrics
{
    private readonly Counter<long> _sent;
    private readonly Counter<long> _sentBytes;
    private readonly Counter<long> _writes;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _closes;

    public OutboundMetrics(IMeterFactory meters)
    {
        Meter = meters.Create(ConnectionTelemetry.Name);
        _sent = Meter.CreateCounter<long>("aspirechat.socket.sent", "{frame}", "Frames to clients");
        _writes = Meter.CreateCounter<long>("aspirechat.socket.writes", "{write}", "Writes that the frames to clients shared");
        _sentBytes = Meter.CreateCounter<long>("aspirechat.socket.sent.size", "By", "Bytes of the frames to clients");
        _dropped = Meter.CreateCounter<long>("aspirechat.socket.dropped", "{frame}", "Frames to clients that were not sent, by reason");
        _closes = Meter.CreateCounter<long>("aspirechat.socket.closes", "{connection}",
            "Ended connections, by the close code sent, or aborted");
    }

    public Meter Meter { get; }

    /// <summary>One write carried these frames.</summary>
    public void Sent(int frames, int bytes)
    {
        _writes.Add(1);
        _sent.Add(frames);
        _sentBytes.Add(bytes);
    }

    public void Dropped(string reason, int frames = 1) => _dropped.Add(frames, new KeyValuePair<string, object?>("reason", reason));

    /// <param name="code">0: aborted.</param>
    public void Closing(int code) => _closes.Add(1, new KeyValuePair<string, object?>("code", code));
}
