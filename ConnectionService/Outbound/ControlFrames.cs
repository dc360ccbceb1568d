using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Outbound;

/// <summary>The control frames that wait to be written: one of a kind is enough. Not thread-safe: the queue's lock guards it.</summary>
internal struct ControlFrames
{
    /// <summary>The payload of the last ping that is not answered yet.</summary>
    public byte[]? Pong { get; set; }

    public bool Ping { get; set; }

    public readonly bool IsEmpty => Pong is null && !Ping;

    /// <summary>Adds the frames to a batch, and forgets them. Returns their bytes.</summary>
    public int MoveTo(FrameList batch)
    {
        var bytes = 0;
        if (Pong is not null)
        {
            bytes += Add(batch, OutboundFrame.Control(FrameHeader.Pong, Pong));
        }
        if (Ping)
        {
            bytes += Add(batch, OutboundFrame.Control(FrameHeader.Ping, []));
        }
        this = default;
        return bytes;
    }

    private static int Add(FrameList batch, OutboundFrame frame)
    {
        batch.Add(frame, ephemeral: false);
        return frame.Length;
    }
}
