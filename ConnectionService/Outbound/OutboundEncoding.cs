using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Outbound;

/// <summary>Encodes the chat's frames, as <c>OutboundFrame.Of</c>. Thread-safe.</summary>
internal static class OutboundEncoding
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true };

    [ThreadStatic]
    private static Scratch? OwnScratch;

    extension(OutboundFrame)
    {
        public static OutboundFrame Of(ServerFrame frame) =>
            Encode(frame, static (json, frame) => ServerFrameCodec.Write(json, frame));

        /// <param name="withNonce">True for the sender's own connections only.</param>
        public static OutboundFrame Of(ConversationEvent e, bool withNonce) => Encode(
            (e, withNonce), static (json, of) => EventFrames.Write(json, of.e, of.withNonce, state: null));
    }

    private static OutboundFrame Encode<T>(T content, Action<Utf8JsonWriter, T> write)
    {
        var scratch = OwnScratch ??= new Scratch();
        write(scratch.Json, content);
        scratch.Json.Flush();
        var frame = OutboundFrame.Of(scratch.Buffer.WrittenSpan);
        if (!scratch.TryReset())
        {
            OwnScratch = null;
        }
        return frame;
    }

    /// <summary>Where a thread encodes a frame before its size is known.</summary>
    private sealed class Scratch
    {
        private const int MostKept = 64 * 1024;

        public Scratch() => Json = new Utf8JsonWriter(Buffer, OutboundEncoding.Json);

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
