using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// A text message of the server as it goes over the wire: header and payload in one array. Server frames are not masked (RFC 6455
/// §5.1), so
/// the very bytes, header included, are shared by all connections that get the message. Immutable and thread-safe.
/// </summary>
internal readonly struct OutboundFrame
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true };

    [ThreadStatic]
    private static Scratch? OwnScratch;

    private readonly byte[] _bytes;

    private OutboundFrame(byte[] bytes) => _bytes = bytes;

    /// <summary>Header and payload.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    public int Length => _bytes.Length;

    /// <summary>The JSON text alone.</summary>
    public ReadOnlyMemory<byte> Payload => _bytes.AsMemory(FrameHeader.LengthIn(_bytes));

    public static OutboundFrame Of(ReadOnlySpan<byte> text)
    {
        Span<byte> header = stackalloc byte[FrameHeader.Longest];
        var length = FrameHeader.Write(header, FrameHeader.Text, text.Length);
        return new OutboundFrame([.. header[..length], .. text]);
    }

    public static OutboundFrame Of(ServerFrame frame) => Encode(frame, static (json, frame) => ServerFrameCodec.Write(json, frame));

    /// <param name="withNonce">True for the sender's own connections only.</param>
    public static OutboundFrame Of(ConversationEvent e, bool withNonce) => Encode(
        (e, withNonce), static (json, of) => EventFrames.Write(json, of.e, of.withNonce, state: null));

    /// <summary>A control frame. It goes through the queue like a message, but is none: <see cref="Payload"/> is not text.</summary>
    public static OutboundFrame Control(byte opcode, ReadOnlySpan<byte> payload)
    {
        var bytes = new byte[2 + payload.Length];
        FrameHeader.Write(bytes, opcode, payload.Length);
        payload.CopyTo(bytes.AsSpan(2));
        return new OutboundFrame(bytes);
    }

    private static OutboundFrame Encode<T>(T content, Action<Utf8JsonWriter, T> write)
    {
        var scratch = OwnScratch ??= new Scratch();
        // The payload's length is known afterwards: room for the longest header is left before it.
        scratch.Buffer.GetSpan(FrameHeader.Longest);
        scratch.Buffer.Advance(FrameHeader.Longest);
        write(scratch.Json, content);
        scratch.Json.Flush();
        var payload = scratch.Buffer.WrittenSpan[FrameHeader.Longest..];
        Span<byte> header = stackalloc byte[FrameHeader.Longest];
        var length = FrameHeader.Write(header, FrameHeader.Text, payload.Length);
        var bytes = GC.AllocateUninitializedArray<byte>(length + payload.Length);
        header[..length].CopyTo(bytes);
        payload.CopyTo(bytes.AsSpan(length));
        if (!scratch.TryReset())
            OwnScratch = null;
        return new OutboundFrame(bytes);
    }

    /// <summary>Where frames of one thread are encoded before their size is known.</summary>
    private sealed class Scratch
    {
        private const int MostKept = 64 * 1024;

        public Scratch() => Json = new Utf8JsonWriter(Buffer, OutboundFrame.Json);

        public ArrayBufferWriter<byte> Buffer { get; } = new(1024);

        public Utf8JsonWriter Json { get; }

        /// <summary>False: it has grown too large to be kept.</summary>
        public bool TryReset()
        {
            Buffer.ResetWrittenCount();
            Json.Reset();
            return Buffer.Capacity <= MostKept;
        }
    }
}
