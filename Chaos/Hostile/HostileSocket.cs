using System.Net.Sockets;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using AspireChat.WebSockets;

namespace AspireChat.Chaos.Hostile;

/// <summary>
/// A client's connection that may break every rule: bytes go out as they are given, and are read only when the attacker likes to. Not
/// thread-safe, but one may write while another reads.
/// </summary>
internal sealed class HostileSocket : IDisposable
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    /// <summary>As a browser writes: what is not ASCII takes its two to four bytes, not six.</summary>
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[16 * 1024];
    private int _length;

    private HostileSocket()
    {
    }

    /// <summary>Connects and goes through the handshake; null when it is refused or the server is gone.</summary>
    public static async Task<HostileSocket?> ConnectAsync(Uri gateway, string token, CancellationToken cancellationToken)
    {
        var socket = await DialAsync(gateway, cancellationToken);
        try
        {
            if (socket is not null)
            {
                var head = Handshake.Request("/ws", gateway.Authority, Key, $"Authorization: Bearer {token}\r\n");
                await socket.WriteAsync(head, cancellationToken);
                if (await socket.ReadHeadAsync(cancellationToken) == 101)
                {
                    return socket;
                }
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Refused without an answer.
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
        socket?.Dispose();
        return null;
    }

    /// <summary>A TCP connection on which nothing was said yet; null when nobody answers.</summary>
    public static async Task<HostileSocket?> DialAsync(Uri gateway, CancellationToken cancellationToken)
    {
        var socket = new HostileSocket();
        try
        {
            await socket._socket.ConnectAsync(gateway.Host == "localhost" ? "127.0.0.1" : gateway.Host, gateway.Port, cancellationToken);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>What means that the connection is over.</summary>
    public static bool IsEnd(Exception e) => e is SocketException or IOException or ObjectDisposedException;

    /// <summary>A text message of a client.</summary>
    public static byte[] Text(object frame) => Frame(FrameHeader.Text, JsonSerializer.SerializeToUtf8Bytes(frame, Json));

    /// <summary>A text message that is no frame of the protocol, or one that no library would write.</summary>
    public static byte[] Text(string text) => Frame(FrameHeader.Text, Encoding.UTF8.GetBytes(text));

    public static byte[] Frame(byte opcode, ReadOnlySpan<byte> payload) => MaskedFrame.Encode(opcode, payload, 0x3D21FA37);

    /// <summary>The same bytes many times, to spend one call of the kernel on them.</summary>
    public static byte[] Repeat(byte[] frame, int times)
    {
        var all = new byte[frame.Length * times];
        for (var i = 0; i < times; i++)
        {
            frame.CopyTo(all, i * frame.Length);
        }

        return all;
    }

    /// <exception cref="SocketException">The connection is over.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes, cancellationToken)..];
        }
    }

    public Task SendAsync(object frame, CancellationToken cancellationToken) => WriteAsync(Text(frame), cancellationToken);

    /// <summary>Reads and forgets everything until the connection ends.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await _socket.ReceiveAsync(buffer, cancellationToken) > 0)
            {
                // Read only to be sent more.
            }
        }
        catch (Exception e) when (IsEnd(e) || e is OperationCanceledException)
        {
            // Over.
        }
    }

    /// <summary>Reads frames until one of this type comes; null when the connection ended before.</summary>
    public async Task<JsonElement?> ExpectAsync(string type, CancellationToken cancellationToken)
    {
        try
        {
            while (await ReadAsync(cancellationToken) is { } frame)
            {
                if (frame.GetProperty("type").GetString() == type)
                {
                    return frame;
                }
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Over.
        }
        return null;
    }

    /// <summary>The server sees the end of what it can read, and may still answer.</summary>
    public void EndWriting() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Reads frames until the close frame; 0 when the connection ended without.</summary>
    public async Task<int> ReadCloseAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadOnlySpan<byte> data = _buffer.AsSpan(0, _length);
            if (FrameHeader.TryTakeFrame(ref data, out var first, out var payload))
            {
                if ((first & FrameHeader.OpcodeBits) == FrameHeader.Close)
                {
                    return CloseFrame.CodeOf(payload);
                }

                Drop(_length - data.Length);
            }
            else if (!await FillAsync(cancellationToken))
            {
                return 0;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>The status of an HTTP answer; what follows its head stays in the buffer. 0 when there was no answer.</summary>
    public async Task<int> ReadHeadAsync(CancellationToken cancellationToken)
    {
        int end;
        while ((end = _buffer.AsSpan(0, _length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (!await FillAsync(cancellationToken))
            {
                return 0;
            }
        }
        var status = int.TryParse(Encoding.ASCII.GetString(_buffer, 9, 3), out var code) ? code : 0;
        Drop(end + 4);
        return status;
    }

    private async Task<JsonElement?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTake(out var first, out var frame))
            {
                switch (first & FrameHeader.OpcodeBits)
                {
                    case FrameHeader.Text:
                        return frame;
                    case FrameHeader.Close:
                        return null;
                    default:
                        continue;
                }
            }
            if (!await FillAsync(cancellationToken))
            {
                return null;
            }
        }
    }

    private bool TryTake(out byte first, out JsonElement frame)
    {
        frame = default;
        ReadOnlySpan<byte> data = _buffer.AsSpan(0, _length);
        if (!FrameHeader.TryTakeFrame(ref data, out first, out var payload))
        {
            return false;
        }

        if ((first & FrameHeader.OpcodeBits) == FrameHeader.Text)
        {
            var reader = new Utf8JsonReader(payload);
            frame = JsonElement.ParseValue(ref reader);
        }
        Drop(_length - data.Length);
        return true;
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_length == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        }

        var read = await _socket.ReceiveAsync(_buffer.AsMemory(_length), cancellationToken);
        _length += read;
        return read > 0;
    }

    private void Drop(int bytes)
    {
        _buffer.AsSpan(bytes, _length - bytes).CopyTo(_buffer);
        _length -= bytes;
    }
}
