namespace AspireChat.WebSockets;

/// <summary>
/// Follows the frames that a server sends, to know where one message ends and another could begin. It looks at headers only and keeps
/// nothing of the content. Not safe for concurrent use.
/// </summary>
public struct ServerFrameBounds
{
    private readonly byte[] _header = new byte[FrameHeader.MaxLength];
    private int _headerBytes;
    private ulong _payload;
    private bool _inMessage;
    private bool _isClosed;

    public ServerFrameBounds()
    {
    }

    /// <summary>
    /// A message or a close frame of somebody else's may stand here: no frame and no message of several frames is half sent, and the server
    /// has not closed.
    /// </summary>
    public readonly bool CanInsert => _headerBytes == 0 && _payload == 0 && !_inMessage && !_isClosed;

    /// <summary>The server sends these bytes next.</summary>
    public void Advance(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (_payload > 0)
            {
                var part = (int)Math.Min(_payload, (ulong)bytes.Length);
                bytes = bytes[part..];
                _payload -= (ulong)part;
                continue;
            }
            _header[_headerBytes++] = bytes[0];
            bytes = bytes[1..];
            if (_headerBytes >= 2 && _headerBytes == FrameHeader.Length(_header[1]))
            {
                BeginPayload();
            }
        }
    }

    private void BeginPayload()
    {
        _payload = (ulong)FrameHeader.PayloadLength(_header);
        var opcode = _header[0] & FrameHeader.OpcodeBits;
        if (opcode < FrameHeader.Close)
        {
            _inMessage = (_header[0] & FrameHeader.Final) == 0;
        }
        _isClosed |= opcode == FrameHeader.Close;
        _headerBytes = 0;
    }
}
