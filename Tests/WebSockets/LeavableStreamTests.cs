using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.Tests.WebSockets;

/// <summary>Where between a server's frames the close frame of a draining gateway may stand.</summary>
public sealed class LeavableStreamTests
{
    private static readonly byte[] Goodbye = [.. OutboundFrame.Of("goodbye"u8).Bytes.Span, .. CloseFrame.Encode(CloseCodes.Restart, "later").Bytes.Span];

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(70_000)]
    public async Task The_goodbye_waits_for_the_end_of_the_message_however_its_bytes_arrive(int length)
    {
        var frame = Frame(0x81, length);
        // The cuts are at every place in the header and some in the payload. The goodbye may stand only between messages.
        foreach (var cut in Enumerable.Range(1, Math.Min(frame.Length - 1, 20)))
        {
            using var sent = new MemoryStream();
            await using var client = new LeavableStream(sent);
            await client.WriteAsync(frame);
            await client.WriteAsync(frame.AsMemory(0, cut));

            await client.LeaveAsync(Goodbye, CancellationToken.None);
            Assert.Equal(frame.Length + cut, sent.Length);
            await client.WriteAsync(frame.AsMemory(cut));
            await client.WriteAsync(frame);

            var bytes = sent.ToArray();
            Assert.Equal(frame, bytes[frame.Length..(2 * frame.Length)]);
            Assert.Equal(Goodbye, bytes[(2 * frame.Length)..]);
        }
    }

    [Fact]
    public async Task The_goodbye_does_not_stand_between_the_parts_of_a_message()
    {
        using var sent = new MemoryStream();
        await using var client = new LeavableStream(sent);
        await client.WriteAsync(Frame(0x01, 3));
        await client.WriteAsync(Frame(0x89, 0));

        await client.LeaveAsync(Goodbye, CancellationToken.None);
        Assert.Equal(5 + 2, sent.Length);
        await client.WriteAsync(Frame(0x80, 3));

        Assert.Equal(Goodbye, sent.ToArray()[^Goodbye.Length..]);
    }

    [Fact]
    public async Task A_socket_that_the_service_has_closed_gets_no_second_close()
    {
        using var sent = new MemoryStream();
        await using var client = new LeavableStream(sent);
        await client.WriteAsync(Frame(0x88, 2));

        await client.LeaveAsync(Goodbye, CancellationToken.None);

        Assert.Equal(4, sent.Length);
    }

    [Fact]
    public async Task Nothing_follows_the_goodbye_and_it_is_sent_once()
    {
        using var sent = new MemoryStream();
        await using var client = new LeavableStream(sent);

        await client.LeaveAsync(Goodbye, CancellationToken.None);
        var length = sent.Length;
        await client.LeaveAsync(Goodbye, CancellationToken.None);
        await client.WriteAsync(Frame(0x81, 5));

        Assert.Equal(length, sent.Length);
    }

    private static byte[] Frame(byte first, int length) =>
    [
        first,
        .. length < 126 ? [(byte)length]
            : length <= ushort.MaxValue ? (byte[])[126, (byte)(length >> 8), (byte)length]
            : [127, 0, 0, 0, 0, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length],
        .. Enumerable.Repeat((byte)'x', length),
    ];
}
