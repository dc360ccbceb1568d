using System.IO.Pipelines;
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
    public async Task The_example_of_a_masked_frame_is_written_and_read()
    {
        // 37 FA 21 3D in memory.
        Assert.Equal(MaskedHello, Convert.ToHexString(MaskedFrame.Encode(FrameHeader.Text, "Hello"u8, 0x3D21FA37)));
        var pipe = new Pipe();
        using var reader = new FrameReader(pipe.Reader, longest: 5, farTooLong: 10);
        foreach (var value in Convert.FromHexString(MaskedHello))
        {
            await pipe.Writer.WriteAsync(new[] { value });
        }

        Assert.Equal(MessageKind.Text, await reader.ReadAsync());

        Assert.Equal("Hello", Encoding.UTF8.GetString(reader.Text));
        Assert.True(reader.Heard);
    }

    [Fact]
    public async Task Pongs_and_parts_of_a_message_are_told_so_that_they_can_be_paced()
    {
        var pipe = new Pipe();
        using var reader = new FrameReader(pipe.Reader, longest: 5, farTooLong: 10);
        await pipe.Writer.WriteAsync(MaskedFrame.Encode(FrameHeader.Pong, [], 1));
        await pipe.Writer.WriteAsync(Unfinished(FrameHeader.Text));
        await pipe.Writer.WriteAsync(Unfinished(FrameHeader.Continuation));
        await pipe.Writer.WriteAsync(MaskedFrame.Encode(FrameHeader.Continuation, "end"u8, 1));

        foreach (var kind in new[] { MessageKind.Pong, MessageKind.Fragment, MessageKind.Fragment, MessageKind.Text })
        {
            Assert.Equal(kind, await reader.ReadAsync());
        }
        Assert.Equal("end", Encoding.UTF8.GetString(reader.Text));

        static byte[] Unfinished(byte opcode)
        {
            var frame = MaskedFrame.Encode(opcode, [], 1);
            frame[0] = (byte)(frame[0] & ~FrameHeader.Final);
            return frame;
        }
    }

    [Fact]
    public async Task A_client_that_sends_on_behind_a_close_is_not_read_without_end()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        using var reader = new FrameReader(pipe.Reader, longest: 5, farTooLong: 10);
        var pong = MaskedFrame.Encode(FrameHeader.Pong, [], 1);
        for (var i = 0; i < 2 * 1024 * 1024 / pong.Length; i++)
        {
            await pipe.Writer.WriteAsync(pong);
        }

        await reader.DiscardAsync().WaitAsync(TimeSpan.FromSeconds(60));
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
}
