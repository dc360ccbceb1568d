using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using AspireChat.Contracts.Frames;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// Reads a client's frames (RFC 6455) off the transport, message by message. Memory is held only while a message is coming in: waiting
/// costs nothing but the pending read. Not thread-safe.
/// </summary>
/// <param name="longest">Bytes of the longest message that is kept.</param>
/// <param name="farTooLong">A message of more bytes is not even read away.</param>
internal sealed class FrameReader(PipeReader input, int longest, long farTooLong) : IDisposable
{
    private const int FirstBuffer = 1024;

    private byte[]? _buffer;
    private int _length;

    /// <summary>Bytes of the message so far; more than are kept when it is too long.</summary>
    private long _total;

    /// <summary>Payload of the current data frame that is still to come.</summary>
    private long _remaining;

    /// <summary>The masking key, turned so that it fits the next payload byte.</summary>
    private uint _mask;

    private State _state;
    private bool _finalFrame;
    private bool _discarding;

    private enum State : byte
    {
        /// <summary>A message begins with the next data frame.</summary>
        BetweenMessages,

        /// <summary>The next data frame goes on with the message.</summary>
        BetweenFrames,

        InFrame,

        /// <summary>The message was handed out; its buffer is returned at the next read.</summary>
        Delivered,
    }

    /// <summary>The message, valid until the next read.</summary>
    public ReadOnlySpan<byte> Text => _buffer.AsSpan(0, _length);

    /// <summary>The payload of the ping read last.</summary>
    public byte[] PingPayload { get; private set; } = [];

    /// <summary>After <see cref="MessageKind.Fault"/>: how to close.</summary>
    public (int Code, string Reason) Fault { get; private set; }

    /// <summary>Something came from the client since this was last set to false.</summary>
    public bool Heard { get; set; }

    /// <exception cref="IOException">The client is gone.</exception>
    public async ValueTask<MessageKind> ReadAsync()
    {
        if (_state == State.Delivered)
            Dispose();
        while (true)
        {
            // Without a token: the transport's end completes the read.
            var result = await input.ReadAsync(CancellationToken.None);
            Heard = true;
            var kind = Parse(result.Buffer, out var consumed);
            input.AdvanceTo(consumed, kind is null ? result.Buffer.End : consumed);
            if (kind is { } found)
                return found;
            if (result.IsCompleted)
                throw new IOException("The client is gone.");
        }
    }

    /// <summary>From now on messages are read away unseen, whatever they are; only the client's close matters.</summary>
    public void Discard()
    {
        Dispose();
        _discarding = true;
    }

    /// <summary>Reads away whatever comes, until the client is gone.</summary>
    public async Task SkipAsync()
    {
        while (true)
        {
            var result = await input.ReadAsync(CancellationToken.None);
            input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return;
        }
    }

    /// <summary>Forgets the message.</summary>
    public void Dispose()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _length = 0;
        if (_state != State.Delivered)
            return;
        _total = 0;
        _state = State.BetweenMessages;
    }

    /// <summary>Null: more is needed than there is.</summary>
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

    /// <summary>False: the header (of a control frame: the frame) is not there completely.</summary>
    private bool ReadHeader(ref SequenceReader<byte> reader, out MessageKind? kind)
    {
        kind = null;
        if (!reader.TryPeek(0, out var first) || !reader.TryPeek(1, out var second))
            return false;
        kind = Check(first, second);
        if (kind is not null)
            return true;
        var lengthBytes = FrameHeader.ExtendedLength(second);
        Span<byte> header = stackalloc byte[2 + lengthBytes + sizeof(uint)];
        if (!reader.TryCopyTo(header))
            return false;
        var payload = FrameHeader.PayloadLength(header);
        if (payload < 0)
        {
            kind = Broken("length");
            return true;
        }
        _mask = MemoryMarshal.Read<uint>(header[^sizeof(uint)..]);
        if ((first & FrameHeader.OpcodeBits) >= FrameHeader.Close)
            return ReadControl(ref reader, header.Length, (int)payload, (byte)(first & FrameHeader.OpcodeBits), out kind);
        reader.Advance(header.Length);
        _state = State.InFrame;
        _finalFrame = (first & FrameHeader.Final) != 0;
        _remaining = payload;
        _total += payload;
        if (!_discarding && (_total > farTooLong || _total < 0))
            kind = MessageKind.FarTooLarge;
        return true;
    }

    /// <summary>What the first two bytes of a frame tell already.</summary>
    private MessageKind? Check(byte first, byte second)
    {
        if ((first & FrameHeader.Reserved) != 0)
            return Broken("reserved bits");
        if ((second & FrameHeader.Masked) == 0)
            return Broken("not masked");
        var goesOn = _state == State.BetweenFrames;
        switch (first & FrameHeader.OpcodeBits)
        {
            case FrameHeader.Close or FrameHeader.Ping or FrameHeader.Pong:
                return (first & FrameHeader.Final) == 0 ? Broken("fragmented control frame")
                    : (second & FrameHeader.LengthBits) > FrameHeader.MostControl ? Broken("long control frame")
                    : null;
            case FrameHeader.Continuation:
                return goesOn ? null : Broken("nothing to continue");
            case FrameHeader.Text:
                return goesOn ? Broken("message within a message") : null;
            case FrameHeader.Binary:
                return goesOn ? Broken("message within a message") : _discarding ? null : MessageKind.Binary;
            default:
                return Broken("opcode");
        }
    }

    private bool ReadControl(ref SequenceReader<byte> reader, int header, int length, byte opcode, out MessageKind? kind)
    {
        kind = null;
        if (reader.Remaining < header + length)
            return false;
        reader.Advance(header);
        var payload = length == 0 ? [] : new byte[length];
        reader.TryCopyTo(payload);
        reader.Advance(length);
        Unmask(payload, _mask);
        switch (opcode)
        {
            case FrameHeader.Ping:
                PingPayload = payload;
                kind = MessageKind.Ping;
                break;
            case FrameHeader.Close:
                kind = CheckClose(payload);
                break;
        }
        return true;
    }

    private MessageKind CheckClose(byte[] payload)
    {
        if (payload.Length == 0)
            return MessageKind.Close;
        if (payload.Length == 1)
            return Broken("close code");
        // 1004 to 1006 and 1015 never appear on the wire; below 3000, only what the registry knows.
        var code = BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (code is not (>= 1000 and <= 1003 or >= 1007 and <= 1014 or >= 3000 and <= 4999))
            return Broken("close code");
        return Utf8.IsValid(payload.AsSpan(2)) ? MessageKind.Close : BadText();
    }

    /// <summary>False: all there is of the payload was taken, and more is to come.</summary>
    private bool ReadPayload(ref SequenceReader<byte> reader, out MessageKind? kind)
    {
        kind = null;
        while (_remaining > 0 && !reader.End)
        {
            var part = reader.UnreadSpan;
            if (part.Length > _remaining)
                part = part[..(int)_remaining];
            if (_total <= longest && !_discarding)
                Keep(part);
            _remaining -= part.Length;
            reader.Advance(part.Length);
        }
        if (_remaining > 0)
            return false;
        _state = !_finalFrame ? State.BetweenFrames : _discarding ? State.BetweenMessages : State.Delivered;
        if (_state == State.Delivered)
            kind = _total > longest ? MessageKind.TooLarge : Utf8.IsValid(Text) ? MessageKind.Text : BadText();
        return true;
    }

    private void Keep(ReadOnlySpan<byte> part)
    {
        var needed = _length + part.Length;
        if (_buffer is null || _buffer.Length < needed)
        {
            // A frame's length is known before its bytes have come: only a large one grows its buffer on the way.
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
        _mask = Unmask(to, _mask);
        _length = needed;
    }

    /// <summary>Takes the mask off in place; returns the mask turned so that it goes on behind these bytes.</summary>
    private static uint Unmask(Span<byte> bytes, uint mask)
    {
        var wide = mask | (ulong)mask << 32;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        for (var i = 0; i < words.Length; i++)
            words[i] ^= wide;
        Span<byte> key = stackalloc byte[sizeof(uint)];
        MemoryMarshal.Write(key, mask);
        for (var i = words.Length * sizeof(ulong); i < bytes.Length; i++)
            bytes[i] ^= key[i & 3];
        var turn = 8 * (bytes.Length & 3);
        return BitConverter.IsLittleEndian ? BitOperations.RotateRight(mask, turn) : BitOperations.RotateLeft(mask, turn);
    }

    private MessageKind Broken(string what)
    {
        Fault = (CloseCodes.ProtocolError, "protocol error: " + what);
        return MessageKind.Fault;
    }

    private MessageKind BadText()
    {
        Fault = (CloseCodes.InvalidUtf8, "invalid UTF-8");
        return MessageKind.Fault;
    }
}
