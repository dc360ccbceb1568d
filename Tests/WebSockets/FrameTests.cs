using System.Text;
using AspireChat.WebSockets;

namespace AspireChat.Tests.WebSockets;

/// <summary>The example bytes of RFC 6455, so that the library is not checked against itself.</summary>
public sealed class FrameTests
{
    private const string MaskedHello = "818537FA213D7F9F4D5158";

    [Fact]
    public void A_server_s_frames_are_those_of_the_examples()
    {
        Assert.Equal("810548656C6C6F", Convert.ToHexString(OutboundFrame.Of("Hello"u8).Bytes.Span));
        Assert.Equal("890548656C6C6F", Convert.ToHexString(OutboundFrame.Control(FrameHeader.Ping, "Hello"u8).Bytes.Span));
        Assert.Equal("817E0100", Convert.ToHexString(OutboundFrame.Of(new byte[256]).Bytes.Span[..4]));
        Assert.Equal("817F0000000000010000", Convert.ToHexString(OutboundFrame.Of(new byte[65_536]).Bytes.Span[..10]));
        Assert.Equal("880503E8627965", Convert.ToHexString(CloseFrame.Encode(CloseStatus.Normal, "bye").Bytes.Span));
        Assert.Throws<ArgumentOutOfRangeException>(() => OutboundFrame.Control(FrameHeader.Ping, new byte[126]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public void A_client_takes_a_frame_when_its_last_byte_has_arrived(int length)
    {
        var frame = OutboundFrame.Of(new byte[length]);
        foreach (var cut in Enumerable.Range(0, Math.Min(frame.Length, 20)).Append(frame.Length - 1))
        {
            var part = frame.Bytes.Span[..cut];
            Assert.False(FrameHeader.TryTakeFrame(ref part, out _, out _));
            Assert.Equal(cut, part.Length);
        }
        ReadOnlySpan<byte> all = [.. frame.Bytes.Span, 0x8A];

        Assert.True(FrameHeader.TryTakeFrame(ref all, out var first, out var payload));

        Assert.Equal((0x81, length, 1), ((int)first, payload.Length, all.Length));
        Assert.Equal(length, frame.Payload.Length);
    }

    [Fact]
    public void The_example_of_a_masked_frame_is_written_and_read()
    {
        // 37 FA 21 3D in memory.
        Assert.Equal(MaskedHello, Convert.ToHexString(MaskedFrame.Encode(FrameHeader.Text, "Hello"u8, 0x3D21FA37)));
        using var reader = new FrameReader(longest: 5, farTooLong: 10);
        ReadOnlySpan<byte> bytes = Convert.FromHexString(MaskedHello);

        Assert.Equal(MessageKind.Text, reader.Read(ref bytes));

        Assert.Equal("Hello", Encoding.UTF8.GetString(reader.Text));
        Assert.True(bytes.IsEmpty);
    }

    [Fact]
    public void Messages_are_the_same_however_their_bytes_are_cut()
    {
        byte[] all =
        [
            .. MaskedFrame.Encode(FrameHeader.Text, "one"u8, 0x3D21FA37), .. MaskedFrame.Encode(FrameHeader.Ping, "?"u8, 7),
            .. Unfinished(FrameHeader.Text, "tw"), .. MaskedFrame.Encode(FrameHeader.Pong, [], 1),
            .. MaskedFrame.Encode(FrameHeader.Continuation, "o"u8, 0x01020304), .. MaskedFrame.Encode(FrameHeader.Text, new byte[300], 0x55AA00FF),
            .. MaskedFrame.Encode(FrameHeader.Text, [], 3), .. MaskedFrame.Encode(FrameHeader.Close, [3, 232], 9),
        ];
        var whole = Read(all, all.Length);
        Assert.Equal(
            [
                MessageKind.Text, MessageKind.Ping, MessageKind.Fragment, MessageKind.Pong, MessageKind.Text, MessageKind.Text, MessageKind.Text,
                MessageKind.Close,
            ],
            whole.Select(message => message.Kind));
        Assert.Equal(["one", "two", new string('\0', 300), ""], whole.Where(message => message.Kind == MessageKind.Text).Select(message => message.Text));
        for (var step = 1; step < 40; step++)
        {
            Assert.Equal(whole, Read(all, step));
        }
    }

    [Fact]
    public void Pongs_and_parts_of_a_message_are_told_so_that_they_can_be_paced()
    {
        byte[] all =
        [
            .. MaskedFrame.Encode(FrameHeader.Pong, [], 1), .. Unfinished(FrameHeader.Text, ""), .. Unfinished(FrameHeader.Continuation, ""),
            .. MaskedFrame.Encode(FrameHeader.Continuation, "end"u8, 1),
        ];
        var read = Read(all, all.Length);
        Assert.Equal([MessageKind.Pong, MessageKind.Fragment, MessageKind.Fragment, MessageKind.Text], read.Select(message => message.Kind));
        Assert.Equal("end", read[^1].Text);
    }

    [Fact]
    public void A_client_that_sends_on_behind_a_close_is_not_read_without_end()
    {
        using var reader = new FrameReader(longest: 5, farTooLong: 10);
        reader.Discard();
        var pong = MaskedFrame.Encode(FrameHeader.Pong, [], 1);
        for (var i = 0; !reader.IsDone; i++)
        {
            Assert.InRange(i, 0, 1024 * 1024 / pong.Length);
            ReadOnlySpan<byte> bytes = pong;
            reader.Read(ref bytes);
        }
    }

    [Fact]
    public void Behind_a_fault_nothing_is_understood()
    {
        using var reader = new FrameReader(longest: 5, farTooLong: 10);
        reader.Discard();
        byte[] broken = [.. MaskedFrame.Encode(FrameHeader.Text, "abc"u8, 1), 0xFF, 0xFF, .. MaskedFrame.Encode(FrameHeader.Close, [3, 232], 9)];
        ReadOnlySpan<byte> bytes = broken;
        Assert.Equal(MessageKind.Fault, reader.Read(ref bytes));
        Assert.True(bytes.IsEmpty);
        Assert.False(reader.IsDone);
    }

    [Theory]
    [InlineData("", CloseStatus.None, 0)]
    [InlineData("03", CloseStatus.None, 1002)]
    [InlineData("03E8", 1000, 0)]
    [InlineData("0FA8627965", 4008, 0)]
    [InlineData("03ED", 1005, 1002)]
    [InlineData("03E8FF", 1000, 1007)]
    public void A_close_frame_has_a_code_and_what_is_wrong_with_it(string payload, int code, int fault)
    {
        Assert.Equal(code, CloseFrame.CodeOf(Convert.FromHexString(payload)));
        Assert.Equal(fault, CloseFrame.FaultOf(Convert.FromHexString(payload)));
    }

    [Fact]
    public void The_handshake_s_key_is_answered_as_in_the_example() =>
        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Handshake.AcceptOf("dGhlIHNhbXBsZSBub25jZQ=="));

    /// <summary>All messages of the bytes, which arrive some at a time.</summary>
    private static List<(MessageKind Kind, string Text)> Read(byte[] all, int step)
    {
        using var reader = new FrameReader(longest: 1_000, farTooLong: 2_000);
        var read = new List<(MessageKind Kind, string Text)>();
        for (var at = 0; at < all.Length; at += step)
        {
            ReadOnlySpan<byte> bytes = all.AsSpan(at, Math.Min(step, all.Length - at));
            while (reader.Read(ref bytes) is { } kind)
            {
                read.Add((kind, kind == MessageKind.Text ? Encoding.UTF8.GetString(reader.Text) : ""));
            }
            Assert.True(bytes.IsEmpty);
        }
        return read;
    }

    private static byte[] Unfinished(byte opcode, string text)
    {
        var frame = MaskedFrame.Encode(opcode, Encoding.UTF8.GetBytes(text), 1);
        frame[0] = (byte)(frame[0] & ~FrameHeader.Final);
        return frame;
    }
}
