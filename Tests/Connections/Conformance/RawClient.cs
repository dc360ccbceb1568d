using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace AspireChat.Tests.Connections.Conformance;

/// <summary>A frame as it came off the wire.</summary>
internal sealed record RawFrame(byte First, byte Second, byte[] Payload)
{
    public int Opcode => First & 0x0F;

    public string Text => Encoding.UTF8.GetString(Payload);

    public int CloseCode => Payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(Payload) : 0;

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

/// <summary>A TCP connection that has done the WebSocket handshake and knows nothing more: the test sends bytes.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TcpClient _tcp = new() { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];
    private Stream _stream = Stream.Null;
    private int _from;
    private int _to;

    /// <summary>Connects and reads <c>welcome</c>.</summary>
    public static async Task<RawClient> ConnectAsync(Uri address, string user)
    {
        var client = new RawClient();
        await client._tcp.ConnectAsync(address.Host, address.Port);
        client._stream = client._tcp.GetStream();
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        await client.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /ws HTTP/1.1\r\nHost: {address.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: other, aspirechat.v1\r\n"
            + $"Authorization: Bearer {ConnectionNode.Token(user)}\r\n\r\n"));
        var head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 ", head);
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
        Assert.Contains($"Sec-WebSocket-Accept: {accept}\r\n", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Sec-WebSocket-Protocol: aspirechat.v1\r\n", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Upgrade: websocket\r\n", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("\"type\":\"welcome\"", (await client.ReadAsync())!.Text);
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
            // It was quicker.
        }
    }

    /// <summary>The next frame; null: the server has ended the connection.</summary>
    public async Task<RawFrame?> ReadAsync()
    {
        if (!await FillAsync(2))
            return null;
        var (first, second) = (_buffer[_from], _buffer[_from + 1]);
        var extended = (second & 0x7F) switch { 126 => 2, 127 => 8, _ => 0 };
        Assert.True(await FillAsync(2 + extended), "the connection ended within a frame");
        var length = extended switch
        {
            0 => second & 0x7F,
            2 => BinaryPrimitives.ReadUInt16BigEndian(_buffer.AsSpan(_from + 2)),
            _ => (int)BinaryPrimitives.ReadUInt64BigEndian(_buffer.AsSpan(_from + 2)),
        };
        _from += 2 + extended;
        var payload = new byte[length];
        for (var at = 0; at < length;)
        {
            Assert.True(await FillAsync(1), "the connection ended within a frame");
            var part = Math.Min(length - at, _to - _from);
            _buffer.AsSpan(_from, part).CopyTo(payload.AsSpan(at));
            _from += part;
            at += part;
        }
        var frame = new RawFrame(first, second, payload);
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
        while (true)
        {
            var end = _buffer.AsSpan(_from, _to - _from).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                var head = Encoding.ASCII.GetString(_buffer, _from, end + 4);
                _from += end + 4;
                return head;
            }
            Assert.True(await FillAsync(_to - _from + 1), "the connection ended within the handshake");
        }
    }

    private async Task<bool> FillAsync(int bytes)
    {
        if (_from + bytes > _buffer.Length || _from == _to)
        {
            _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
            (_from, _to) = (0, _to - _from);
        }
        using var patience = new CancellationTokenSource(Patience);
        while (_to - _from < bytes)
        {
            int read;
            try
            {
                read = await _stream.ReadAsync(_buffer.AsMemory(_to), patience.Token);
            }
            catch (IOException)
            {
                return false;
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException("Nothing came from the server within the test's patience.");
            }
            if (read == 0)
                return false;
            _to += read;
        }
        return true;
    }
}
