using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using AspireChat.WebSockets;

namespace AspireChat.Tests.WebSockets;

/// <summary>A frame as it was received.</summary>
internal sealed record RawFrame(byte First, byte Second, byte[] Payload)
{
    public int Opcode => First & FrameHeader.OpcodeBits;

    public string Text => Encoding.UTF8.GetString(Payload);

    public int CloseCode => CloseFrame.CodeOf(Payload);

    /// <summary>What RFC 6455 demands of every frame of a server that has agreed on no extension and does not fragment.</summary>
    public void CheckForm()
    {
        Assert.True(First is 0x81 or 0x88 or 0x89 or 0x8A, $"first byte {First:X2}");
        Assert.True((Second & 0x80) == 0, "a server's frame is masked");
        Assert.True(Opcode < 8 || Payload.Length <= 125, "a long control frame");
        // The shortest form of the length.
        Assert.True(Second == (Payload.Length < 126 ? Payload.Length : Payload.Length <= ushort.MaxValue ? 126 : 127), "length");
    }
}

/// <summary>A TCP connection after the WebSocket handshake, on which the test sends raw bytes.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TcpClient _tcp = new() { NoDelay = true };
    private byte[] _buffer = new byte[64 * 1024];
    private Stream _stream = Stream.Null;
    private int _from;
    private int _to;

    private ReadOnlySpan<byte> Unread => _buffer.AsSpan(_from, _to - _from);

    /// <param name="headers">Further headers of the handshake, each with CR LF at its end.</param>
    public static async Task<RawClient> ConnectAsync(Uri address, string headers = "")
    {
        var client = new RawClient();
        await client._tcp.ConnectAsync(address.Host, address.Port);
        client._stream = client._tcp.GetStream();
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        await client.SendAsync(Handshake.Request(
            "/ws", address.Authority, key, $"Sec-WebSocket-Protocol: other, aspirechat.v1\r\n{headers}"));
        var head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 ", head);
        Assert.Contains($"Sec-WebSocket-Accept: {Handshake.AcceptOf(key)}\r\n", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Sec-WebSocket-Protocol: aspirechat.v1\r\n", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Upgrade: websocket\r\n", head, StringComparison.OrdinalIgnoreCase);
        return client;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var patience = new CancellationTokenSource(Patience);
        await _stream.WriteAsync(bytes, patience.Token);
    }

    /// <summary>Sends the last bytes of this side, unless the server has ended the connection already.</summary>
    public async Task EndAsync(ReadOnlyMemory<byte> last)
    {
        try
        {
            await SendAsync(last);
            _tcp.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The server has ended the connection already.
        }
    }

    /// <summary>The next frame; null when the server has ended the connection.</summary>
    public async Task<RawFrame?> ReadAsync()
    {
        RawFrame? frame;
        while (!TryTake(out frame))
        {
            if (!await FillAsync())
            {
                Assert.True(Unread.IsEmpty, "the connection ended within a frame");
                return null;
            }
        }
        frame.CheckForm();
        return frame;
    }

    public ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string> ReadHeadAsync()
    {
        int end;
        while ((end = Unread.IndexOf("\r\n\r\n"u8)) < 0)
        {
            Assert.True(await FillAsync(), "the connection ended within the handshake");
        }
        var head = Encoding.ASCII.GetString(Unread[..(end + 4)]);
        _from += end + 4;
        return head;
    }

    private bool TryTake([NotNullWhen(true)] out RawFrame? frame)
    {
        frame = null;
        var data = Unread;
        if (!FrameHeader.TryTakeFrame(ref data, out var first, out var payload))
        {
            return false;
        }
        frame = new RawFrame(first, Unread[1], payload.ToArray());
        _from = _to - data.Length;
        return true;
    }

    /// <summary>Waits for more bytes. False when the server has ended the connection.</summary>
    private async Task<bool> FillAsync()
    {
        Unread.CopyTo(_buffer);
        (_from, _to) = (0, _to - _from);
        if (_to == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * _to);
        }
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var read = await _stream.ReadAsync(_buffer.AsMemory(_to), patience.Token);
            _to += read;
            return read > 0;
        }
        catch (IOException)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException("Nothing came from the server within the test's patience.");
        }
    }
}
