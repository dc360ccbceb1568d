using AspireChat.WebSockets;

namespace AspireChat.Chaos.Fuzzing;

/// <summary>
/// The reader of a client's WebSocket frames. It ends only by the end of the connection; it reads the same whether bytes come at once, one by one
/// or in pieces; a text that it gives out reads the same when it is framed anew; and it costs little more than was sent.
/// </summary>
internal sealed class FrameReaderFuzz : FuzzTarget
{
    private const int LongestText = 512;
    private const int FarTooLong = 4 * LongestText;
    private const uint Key = 0x3D21FA37;

    /// <summary>Bytes that a reader may allocate for each that came, and in any case.</summary>
    private const int AllocatedPerByte = 96;
    private const int AllocatedAnyway = 64 * 1024;

    public override string Name => "frame reader";

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        MaskedFrame.Encode(FrameHeader.Text, "{\"type\":\"ping\"}"u8, Key),
        MaskedFrame.Encode(FrameHeader.Text, "grüße €😀"u8, Key),
        MaskedFrame.Encode(FrameHeader.Text, new byte[200], Key),
        MaskedFrame.Encode(FrameHeader.Text, new byte[LongestText + 1], Key),
        MaskedFrame.Encode(FrameHeader.Text, new byte[FarTooLong + 1], Key),
        MaskedFrame.Encode(FrameHeader.Binary, [1, 2, 3], Key),
        MaskedFrame.Encode(FrameHeader.Ping, "are you there"u8, Key),
        MaskedFrame.Encode(FrameHeader.Pong, [], 0),
        MaskedFrame.Encode(FrameHeader.Close, [0x03, 0xE8, (byte)'b', (byte)'y', (byte)'e'], Key),
        [
            .. Unfinished(MaskedFrame.Encode(FrameHeader.Text, "in "u8, Key)), .. MaskedFrame.Encode(FrameHeader.Ping, [], Key),
            .. Unfinished(MaskedFrame.Encode(FrameHeader.Continuation, [], Key)), .. MaskedFrame.Encode(FrameHeader.Continuation, "pieces"u8, Key),
            .. MaskedFrame.Encode(FrameHeader.Text, "and on"u8, Key),
        ],
        [.. OutboundFrame.Of("not masked"u8).Bytes.Span],
    ];

    public override IReadOnlyList<byte[]> Words { get; } =
        [[0x81, 0xFE], [0x81, 0xFF], [0x01, 0x80], [0x80, 0x80], [0x88, 0x82], [0x89, 0xFD], [0xC1, 0x80]];

    public override Task TryAsync(byte[] input, Random random, CancellationToken cancellationToken)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var whole = Read(input, _ => input.Length);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Must(allocated <= AllocatedAnyway + ((long)AllocatedPerByte * input.Length), $"{allocated} bytes were allocated for {input.Length}");

        Same(whole, Read(input, _ => 1), "byte by byte");
        Same(whole, Read(input, left => random.Next(1, left + 1)), "in pieces");
        byte[][] texts = [.. whole.Where(told => told.Text is not null).Select(told => told.Text!)];
        byte[] again = [.. texts.SelectMany(text => MaskedFrame.Encode(FrameHeader.Text, text, Key))];
        var read = Read(again, left => random.Next(1, left + 1));
        Must(read.Count == texts.Length, "a text that was framed anew is not read as one");
        Must(
            texts.Zip(read).All(pair => pair.Second.Text is { } text && text.AsSpan().SequenceEqual(pair.First)),
            "a text that was framed anew reads differently");
        return Task.CompletedTask;
    }

    private static void Same(List<Told> whole, List<Told> other, string how)
    {
        Must(whole.Count == other.Count, $"{whole.Count} messages at once, {other.Count} {how}");
        foreach (var (a, b) in whole.Zip(other))
        {
            Must(a.Kind == b.Kind && a.Detail == b.Detail, $"{a.Kind} {a.Detail} at once, {b.Kind} {b.Detail} {how}");
            Must(a.Text is null ? b.Text is null : b.Text is not null && a.Text.AsSpan().SequenceEqual(b.Text), $"another text {how}");
        }
    }

    /// <summary>Everything up to what ends a connection.</summary>
    private static List<Told> Read(byte[] input, Func<int, int> piece)
    {
        using var reader = new FrameReader(LongestText, FarTooLong);
        List<Told> told = [];
        for (var sent = 0; sent < input.Length;)
        {
            var next = piece(input.Length - sent);
            ReadOnlySpan<byte> bytes = input.AsSpan(sent, next);
            sent += next;
            while (reader.Read(ref bytes) is { } kind)
            {
                told.Add(new Told(
                    kind,
                    kind == MessageKind.Text ? reader.Text.ToArray() : null,
                    kind switch
                    {
                        MessageKind.Fault => $"{reader.Fault.Code} {reader.Fault.Reason}",
                        MessageKind.Ping => Convert.ToHexString(reader.PingPayload),
                        _ => "",
                    }));
                Must(reader.Text.Length <= LongestText, "a text is longer than the longest");
                if (kind is MessageKind.Fault or MessageKind.FarTooLarge or MessageKind.Binary or MessageKind.Close)
                {
                    return told;
                }
            }
            Must(bytes.IsEmpty, "bytes of an unfinished message were left");
        }
        return told;
    }

    private static byte[] Unfinished(byte[] frame)
    {
        frame[0] &= 0x7F;
        return frame;
    }

    private sealed record Told(MessageKind Kind, byte[]? Text, string Detail);
}
