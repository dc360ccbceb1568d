using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Rooms;

/// <summary>
/// The read of a room's presence that those who join wait for, and the frames of presence and typing that come meanwhile: what is read may
/// be older. A read takes half a second at most, and PresenceService bounds how many frames a room gets in that time. Belongs to one hub.
/// </summary>
internal sealed class PresenceReading
{
    private readonly List<(OutboundFrame Frame, string Except)> _meanwhile = [];
    private bool _isUnderWay;

    private static ReadOnlySpan<byte> SignalStart => "{\"type\":\"signal\""u8;

    /// <summary>False: a read is under way, and serves this join too.</summary>
    public bool TryBegin()
    {
        var begins = !_isUnderWay;
        _isUnderWay = true;
        return begins;
    }

    public void End() => _isUnderWay = false;

    /// <summary>Everybody who waited has caught up.</summary>
    public void Clear() => _meanwhile.Clear();

    public void Heard(ReadOnlySpan<byte> json, OutboundFrame frame, string except)
    {
        // Whoever joins needs the changes of presence. A signal from before they joined is not for them.
        if (_isUnderWay && !json.StartsWith(SignalStart))
        {
            _meanwhile.Add((frame, except));
        }
    }

    /// <summary>Sends what came meanwhile to a connection that was let in.</summary>
    public void CatchUp(Connection connection)
    {
        foreach (var (frame, except) in _meanwhile)
        {
            if (connection.User != except)
            {
                connection.Outbound.SendEphemeral(frame);
            }
        }
    }
}
