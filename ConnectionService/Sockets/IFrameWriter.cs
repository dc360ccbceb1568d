namespace AspireChat.ConnectionService.Sockets;

/// <summary>Puts frames on the wire for one <see cref="OutboundQueue"/>, which calls it from one place at a time.</summary>
internal interface IFrameWriter
{
    /// <summary>True when it can write control frames; otherwise somebody else answers pings.</summary>
    bool WritesControlFrames { get; }

    /// <summary>Writes frames from <paramref name="from"/> on, as many as go into one write; returns how many.</summary>
    ValueTask<int> WriteAsync(FrameList frames, int from);

    /// <summary>Writes the close frame. Nothing follows.</summary>
    ValueTask WriteCloseAsync(int code, string reason);
}
