namespace AspireChat.Gateway.Sockets;

/// <summary>
/// Follows the frames that a service sends on a WebSocket (RFC 6455, section 5.2), to know where one message ends and another could begin.
/// It looks at headers only and keeps nothing of the content. Not thread-safe.
/// </summary>
internal struct ServerFrameBounds
{
    private const byte Final = 0x80;
    private const byte OpcodeMask = 0x0F;
    private const byte Control = 0x08;
    private const byte CloseOpcode = 0x08;
    private const byte LengthMask = 0x7F;
    private const byte Masked = 0x80;

    private readonly byte[] _header = new byte[14];
    private int _headerBytes;
    private ulong _payload;
    private bool _inMessage;

    public ServerFrameBounds()
    {
    }

    /// <summary>Nothing is half sent: neither a frame nor a message of several frames.</summary>
    public readonly bool IsBetweenMessages => _headerBytes == 0 && _payload == 0 && !_inMessage;

    /// <summary>The service has closed: what comes after is for nobody.</summary>
    public bool IsClosed { get; private set; }

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
            if (_headerBytes >= 2 && _headerBytes == HeaderLength()) BeginPayload();
        }
    }

    private readonly int HeaderLength()
    {
        var length = (_header[1] & LengthMask) switch
        {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        return (_header[1] & Masked) == 0 ? length : length + 4;
    }

    private void BeginPayload()
    {
        var length = _header[1] & LengthMask;
        _payload = length switch
        {
            126 => System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(2)),
            127 => System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(_header.AsSpan(2)),
            _ => (ulong)length,
        };
        var opcode = _header[0] & OpcodeMask;
        if (opcode < Control) _inMessage = (_header[0] & Final) == 0;
        IsClosed |= opcode == CloseOpcode;
        _headerBytes = 0;
    }
}
