using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// Writes ready frames to the TCP socket itself, all that are queued with one call: a frame alone goes out of the very array that all
/// connections share, several are gathered first. Nothing of the server stands between: a write through Kestrel's pipe costs a copy and a
/// change of thread each.
/// </summary>
internal sealed class SharedFrameWriter(Socket socket) : IFrameWriter
{
    private const int MostBytes = 64 * 1024;

    public bool WritesControlFrames => true;

    public async ValueTask<int> WriteAsync(FrameList frames, int from)
    {
        var count = frames.CountIn(MostBytes, from, out var bytes);
        if (count == 1)
        {
            await SendAsync(frames[from].Bytes);
            return 1;
        }
        var gathered = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            var length = 0;
            for (var i = from; i < from + count; i++)
            {
                frames[i].Bytes.Span.CopyTo(gathered.AsSpan(length));
                length += frames[i].Length;
            }
            await SendAsync(gathered.AsMemory(0, length));
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(gathered);
        }
    }

    public async ValueTask WriteCloseAsync(int code, string reason)
    {
        var payload = new byte[2 + Encoding.UTF8.GetByteCount(reason)];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        Encoding.UTF8.GetBytes(reason, payload.AsSpan(2));
        await SendAsync(OutboundFrame.Control(FrameHeader.Close, payload).Bytes);
    }

    /// <summary>Completes at once unless the kernel's buffer is full.</summary>
    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        // Where a pending send may never end, the connection is cut, which ends it.
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None)..];
    }
}
