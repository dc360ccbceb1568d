using System.Buffers;
using System.IO.Pipelines;
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
/// Reads a client's frames (RFC 6455) from the transport, message by message. Memory is held only while a message comes in: waiting costs
/// nothing but the pending read. Not thread-safe.
/// </summary>
/// <param name="longest">Bytes of the longest message that is kept.</param>
/// <param name="farTooLong">A message of more bytes than this is not even skipped.</param>
public sealed class FrameReader(PipeReader input, int longest, long farTooLong) : IDisposable
{
    private const int FirstBuffer = 1024;

    /// <summary>Bytes that <see cref="DiscardAsync"/> skips at most.</summary>
    private const long MostDiscarded = 1024 * 1024;

    private byte[]? _buffer;
    private int _length;

    /// <summary>Bytes of the message so far. More than are kept when it is too long.</summary>
    private long _total;

    /// <summary>Payload of the current data frame that is still to come.</summary>
    private long _remaining;

    /// <summary>The masking key, rotated so that it fits the next payload byte.</summary>
    private uint _mask;

    private State _state;
    private bool _finalFrame;
    private bool _discarding;
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

    /// <summary>Set by every byte that arrives; the caller resets it to find out whether the client still lives.</summary>
    public bool Heard { get; set; }

    /// <exception cref="IOException">The connection has ended.</exception>
    public async ValueTask<MessageKind> ReadAsync()
    {
        if (_state == State.Delivered)
        {
            Dispose();
        }
        while (true)
        {
            // No token: the end of the transport completes the read.
            var result = await input.ReadAsync(CancellationToken.None);
            Heard = true;
            var kind = Parse(result.Buffer, out var consumed);
            _discarded += _discarding ? result.Buffer.Slice(0, consumed).Length : 0;
            input.AdvanceTo(consumed, kind is null ? result.Buffer.End : consumed);
            if (kind is { } found)
            {
                return found;
            }
            if (_discarded >= MostDiscarded)
            {
                return MessageKind.FarTooLarge;
            }
            if (result.IsCompleted)
            {
                throw new IOException("The client is gone.");
            }
        }
    }

    /// <summary>
    /// Skips everything up to the client's close frame, or to the end of the connection when the client has broken the protocol: nothing
    /// behind a fault can be understood. For a server that closes: unread bytes would turn the end of the connection into a reset, which
    /// overtakes the close frame. A client that goes on and on gets that reset: after a MiB nothing more is skipped.
    /// </summary>
    /// <exception cref="IOException">The connection has ended.</exception>
    public async Task DiscardAsync()
    {
        Dispose();
        _discarding = true;
        while (!_closed && _discarded < MostDiscarded)
        {
            if (await ReadAsync() == MessageKind.Fault)
            {
                await SkipAsync();
                return;
            }
        }
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

    private async Task SkipAsync()
    {
        ReadResult result;
        do
        {
            result = await input.ReadAsync(CancellationToken.None);
            _discarded += result.Buffer.Length;
            input.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted && _discarded < MostDiscarded);
    }

    /// <summary>Null: more bytes are needed.</summary>
    private MessageKind? Parse(in ReadOnlySequence<byte> buffer, out SequencePosition consumed)
    {
        var reader = new SequenceReader<byte>(buffer);
        MessageKind? kind = null;
        while (kind is null && (_state == State.InFrame ? ReadPayload(ref reader, out kind) : ReadHeader(ref reader, out kind)))
        {
            // Each step that could be done leads to the next.
        }
        consumed = reader.Position;
        return kind;
    }

    /// <summary>False: the header (of a control frame: the frame) has not arrived completely.</summary>
    private bool ReadHeader(ref SequenceReader<byte> reader, out MessageKind? kind)
    {
        kind = null;
        if (!reader.TryPeek(0, out var first) || !reader.TryPeek(1, out var second))
        {
            return false;
        }
        kind = Check(first, second);
        if (kind is not null)
        {
            return true;
        }
        Span<byte> header = stackalloc byte[FrameHeader.Length(second)];
        if (!reader.TryCopyTo(header))
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
            return ReadControl(ref reader, header.Length, (int)payload, opcode, out kind);
        }
        reader.Advance(header.Length);
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

    private bool ReadControl(ref SequenceReader<byte> reader, int header, int length, byte opcode, out MessageKind? kind)
    {
        kind = null;
        if (reader.Remaining < header + length)
        {
            return false;
        }
        reader.Advance(header);
        var payload = length == 0 ? [] : new byte[length];
        reader.TryCopyTo(payload);
        reader.Advance(length);
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
    private bool ReadPayload(ref SequenceReader<byte> reader, out MessageKind? kind)
    {
        kind = null;
        while (_remaining > 0 && !reader.End)
        {
            var part = reader.UnreadSpan;
            if (part.Length > _remaining)
            {
                part = part[..(int)_remaining];
            }
            if (_total <= longest && !_discarding)
            {
                Keep(part);
            }
            _remaining -= part.Length;
            reader.Advance(part.Length);
        }
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
