using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace AspireChat.WebSockets;

/// <summary>What was read from a client.</summary>
public enum MessageKind
{
    /// <summary>A whole text message.</summary>
    Text,

    /// <summary>A message longer than the reader keeps. It was skipped.</summary>
    TooLarge,

    /// <summary>A message so long that skipping it is not worth the work: close.</summary>
    FarTooLarge,

    /// <summary>The beginning of a binary message.</summary>
    Binary,

    Ping,

    /// <summary>Told so that the caller can pace a client that sends nothing else.</summary>
    Pong,

    /// <summary>A part of a message has arrived, and the message goes on. Told for the same reason.</summary>
    Fragment,

    /// <summary>A valid close frame.</summary>
    Close,

    /// <summary>The client broke the protocol: close as the reader says.</summary>
    Fault,
}

/// <summary>
/// Reads a client's frames (RFC 6455) out of the bytes that arrive, message by message. Memory is held only while a message comes in. Not
/// thread-safe.
/// </summary>
/// <param name="longest">Bytes of the longest message that is kept.</param>
/// <param name="farTooLong">A message of more bytes than this is not even skipped.</param>
public sealed class FrameReader(int longest, long farTooLong) : IDisposable
{
    private const int FirstBuffer = 1024;
    private const int LongestHead = FrameHeader.MaxLength + FrameHeader.MaxControlPayload;

    /// <summary>Bytes that are skipped at most after <see cref="Discard"/>.</summary>
    private const long MostDiscarded = 1024 * 1024;

    private byte[]? _buffer;
    private int _length;

    /// <summary>The beginning of a header or control frame whose rest has not arrived.</summary>
    private byte[]? _head;

    private int _headLength;

    /// <summary>Bytes of the message so far. More than are kept when it is too long.</summary>
    private long _total;

    /// <summary>Payload of the current data frame that is still to come.</summary>
    private long _remaining;

    /// <summary>The masking key, rotated so that it fits the next payload byte.</summary>
    private uint _mask;

    private State _state;
    private bool _finalFrame;
    private bool _discarding;
    private bool _broken;
    private bool _closed;
    private long _discarded;

    private enum State : byte
    {
        /// <summary>The next data frame begins a message.</summary>
        BetweenMessages,

        /// <summary>The next data frame continues the message.</summary>
        BetweenFrames,

        InFrame,

        /// <summary>The caller has the message. The next read returns its buffer.</summary>
        Delivered,
    }

    /// <summary>The message, valid until the next read.</summary>
    public ReadOnlySpan<byte> Text => _buffer.AsSpan(0, _length);

    /// <summary>Bytes of the message, also of one that was skipped. Valid until the next read.</summary>
    public long MessageBytes => _total;

    /// <summary>The payload of the last ping.</summary>
    public byte[] PingPayload { get; private set; } = [];

    /// <summary>After <see cref="MessageKind.Fault"/>: how to close.</summary>
    public (int Code, string Reason) Fault { get; private set; }

    /// <summary>
    /// After <see cref="Discard"/>: the client has closed too, or sends on and on; there is nothing to wait for any more.
    /// </summary>
    public bool IsDone => _closed || _discarded >= MostDiscarded;

    /// <summary>Takes bytes up to the end of the next message, or all of them.</summary>
    /// <returns>Null: all bytes were taken, and the message goes on.</returns>
    public MessageKind? Read(ref ReadOnlySpan<byte> bytes)
    {
        if (_state == State.Delivered)
        {
            Dispose();
        }
        var before = bytes.Length;
        MessageKind? kind = null;
        while (kind is null && !_broken && (_state == State.InFrame ? ReadPayload(ref bytes, out kind) : ReadHeader(ref bytes, out kind)))
        {
            // Each step that could be done leads to the next.
        }
        if (!_discarding)
        {
            return kind;
        }
        if (kind == MessageKind.Fault)
        {
            // Nothing behind a fault can be understood.
            _broken = true;
        }
        bytes = _broken ? [] : bytes;
        _discarded += before - bytes.Length;
        return kind ?? (IsDone ? MessageKind.FarTooLarge : null);
    }

    /// <summary>
    /// From now on messages are skipped, up to the client's close frame, or to the end of the connection when the client breaks the
    /// protocol. For a server that closes: unread bytes would turn the end of the connection into a reset, which overtakes the close frame.
    /// After a MiB nothing more is skipped: a client that goes on and on gets that reset.
    /// </summary>
    public void Discard()
    {
        Dispose();
        _discarding = true;
    }

    /// <summary>Returns the message's buffer.</summary>
    public void Dispose()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        _buffer = null;
        _length = 0;
        if (_state == State.Delivered)
        {
            _total = 0;
            _state = State.BetweenMessages;
        }
    }

    /// <summary>False: the header (of a control frame: the frame) has not arrived completely.</summary>
    private bool ReadHeader(ref ReadOnlySpan<byte> bytes, out MessageKind? kind)
    {
        kind = null;
        if (!TryPeek(ref bytes, 2, out var header))
        {
            return false;
        }
        var (first, second) = (header[0], header[1]);
        kind = Check(first, second);
        if (kind is not null)
        {
            return true;
        }
        if (!TryPeek(ref bytes, FrameHeader.Length(second), out header))
        {
            return false;
        }
        var payload = FrameHeader.PayloadLength(header);
        if (payload < 0)
        {
            kind = Broken("length");
            return true;
        }
        _mask = MemoryMarshal.Read<uint>(header[^sizeof(uint)..]);
        var opcode = (byte)(first & FrameHeader.OpcodeBits);
        if (opcode >= FrameHeader.Close)
        {
            return ReadControl(ref bytes, header.Length, (int)payload, opcode, out kind);
        }
        Take(ref bytes, header.Length);
        _state = State.InFrame;
        _finalFrame = (first & FrameHeader.Final) != 0;
        _remaining = payload;
        _total += payload;
        if (!_discarding && (_total > farTooLong || _total < 0))
        {
            kind = MessageKind.FarTooLarge;
        }
        return true;
    }

    /// <summary>What the first two bytes of a frame already tell.</summary>
    private MessageKind? Check(byte first, byte second)
    {
        if ((first & FrameHeader.Reserved) != 0)
        {
            return Broken("reserved bits");
        }
        if ((second & FrameHeader.Masked) == 0)
        {
            return Broken("not masked");
        }
        var continues = _state == State.BetweenFrames;
        switch (first & FrameHeader.OpcodeBits)
        {
            case FrameHeader.Close or FrameHeader.Ping or FrameHeader.Pong:
                return (first & FrameHeader.Final) == 0 ? Broken("fragmented control frame")
                    : (second & FrameHeader.LengthBits) > FrameHeader.MaxControlPayload ? Broken("long control frame")
                    : null;
            case FrameHeader.Continuation:
                return continues ? null : Broken("nothing to continue");
            case FrameHeader.Text:
                return continues ? Broken("message within a message") : null;
            case FrameHeader.Binary:
                return continues ? Broken("message within a message") : _discarding ? null : MessageKind.Binary;
            default:
                return Broken("opcode");
        }
    }

    private bool ReadControl(ref ReadOnlySpan<byte> bytes, int header, int length, byte opcode, out MessageKind? kind)
    {
        kind = null;
        if (!TryPeek(ref bytes, header + length, out var frame))
        {
            return false;
        }
        var payload = frame[header..].ToArray();
        Take(ref bytes, frame.Length);
        MaskedFrame.Apply(payload, _mask);
        switch (opcode)
        {
            case FrameHeader.Ping:
                PingPayload = payload;
                kind = MessageKind.Ping;
                break;
            case FrameHeader.Pong when !_discarding:
                kind = MessageKind.Pong;
                break;
            case FrameHeader.Close:
                kind = CloseFrame.FaultOf(payload) switch
                {
                    0 => MessageKind.Close,
                    CloseStatus.InvalidPayload => BadText(),
                    _ => Broken("close code"),
                };
                _closed = kind == MessageKind.Close;
                break;
        }
        return true;
    }

    /// <summary>False: all that has arrived of the payload was taken, and more is to come.</summary>
    private bool ReadPayload(ref ReadOnlySpan<byte> bytes, out MessageKind? kind)
    {
        kind = null;
        var part = bytes[..(int)Math.Min(bytes.Length, _remaining)];
        if (part.Length > 0 && _total <= longest && !_discarding)
        {
            Keep(part);
        }
        _remaining -= part.Length;
        bytes = bytes[part.Length..];
        if (_remaining > 0)
        {
            return false;
        }
        _state = !_finalFrame ? State.BetweenFrames : _discarding ? State.BetweenMessages : State.Delivered;
        if (_state == State.BetweenFrames && !_discarding)
        {
            kind = MessageKind.Fragment;
        }
        else if (_state == State.Delivered)
        {
            kind = _total > longest ? MessageKind.TooLarge : Utf8.IsValid(Text) ? MessageKind.Text : BadText();
        }
        return true;
    }

    private void Keep(ReadOnlySpan<byte> part)
    {
        var needed = _length + part.Length;
        if (_buffer is null || _buffer.Length < needed)
        {
            // A client may announce a long frame and send little of it, so the buffer grows with the bytes that have arrived.
            var size = Math.Max(needed, (int)Math.Min(_length + _remaining, Math.Max(FirstBuffer, 4 * needed)));
            var larger = ArrayPool<byte>.Shared.Rent(size);
            if (_buffer is not null)
            {
                _buffer.AsSpan(0, _length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_buffer);
            }
            _buffer = larger;
        }
        var to = _buffer.AsSpan(_length, part.Length);
        part.CopyTo(to);
        _mask = MaskedFrame.Apply(to, _mask);
        _length = needed;
    }

    /// <summary>The next bytes, which stay where they are. False: they have not all arrived, and those that have are kept.</summary>
    private bool TryPeek(ref ReadOnlySpan<byte> bytes, int count, out ReadOnlySpan<byte> found)
    {
        if (_headLength == 0 && bytes.Length >= count)
        {
            found = bytes[..count];
            return true;
        }
        var missing = Math.Min(count - _headLength, bytes.Length);
        if (missing > 0)
        {
            _head ??= new byte[LongestHead];
            bytes[..missing].CopyTo(_head.AsSpan(_headLength));
            bytes = bytes[missing..];
            _headLength += missing;
        }
        found = _head.AsSpan(0, Math.Min(count, _headLength));
        return _headLength >= count;
    }

    /// <summary>Goes on behind the bytes that were looked at.</summary>
    private void Take(ref ReadOnlySpan<byte> bytes, int count)
    {
        if (_headLength == 0)
        {
            bytes = bytes[count..];
        }
        _headLength = 0;
        _head = null;
    }

    private MessageKind Broken(string what)
    {
        Fault = (CloseStatus.ProtocolError, "protocol error: " + what);
        return MessageKind.Fault;
    }

    private MessageKind BadText()
    {
        Fault = (CloseStatus.InvalidPayload, "invalid UTF-8");
        return MessageKind.Fault;
    }
}
