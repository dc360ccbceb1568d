using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using AspireChat.WebSockets;

namespace AspireChat.Benchmarks.Load;

/// <summary>What a <see cref="WireConnection"/> reports while it reads.</summary>
internal interface IWireReader
{
    /// <summary>The server sent a whole message. The text is valid only during the call.</summary>
    void OnText(WireConnection connection, ReadOnlySpan<byte> text);

    /// <summary>The server has accepted the handshake.</summary>
    void OnUpgraded(WireConnection connection)
    {
    }

    void OnClosed(WireConnection connection, int code);
}

/// <summary>
/// One client's socket with its own minimal WebSocket code. Its only buffer is for the start of a frame that has not fully arrived. Not
/// thread-safe: the load generator's thread owns it.
/// </summary>
internal sealed class WireConnection : IDisposable
{
    private readonly Socket _socket;
    private byte[] _rest = [];
    private List<byte>? _fragments;
    private bool _upgraded;

    public WireConnection(int index, string user, IPEndPoint server)
    {
        Index = index;
        User = user;
        _socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(server);
    }

    public int Index { get; }

    public string User { get; }

    public SafeHandle Handle => _socket.SafeHandle;

    public bool IsOpen { get; private set; } = true;

    /// <summary>This client's messages that have not come back yet.</summary>
    public int Outstanding { get; set; }

    /// <param name="room">For dialects whose path names it.</param>
    public void Upgrade(Dialect dialect, string host, string token, string room = "")
    {
        Send(Handshake.Request(dialect.Path(User, room), host, "dGhlIHNhbXBsZSBub25jZQ==", dialect.Headers(token)));
        if (dialect.Greeting is { } greeting)
        {
            Send(greeting);
        }
    }

    /// <summary>True when the socket took all bytes.</summary>
    public bool Send(ReadOnlySpan<byte> frame) => IsOpen && Epoll.Send(_socket.SafeHandle, frame) == frame.Length;

    /// <summary>Reads what has arrived. <paramref name="buffer"/> is shared by all connections.</summary>
    public void Read(byte[] buffer, IWireReader reader)
    {
        // The socket was reported ready in the same call that closed it.
        if (!IsOpen)
        {
            return;
        }

        _rest.CopyTo(buffer, 0);
        var received = Epoll.Receive(_socket.SafeHandle, buffer.AsSpan(_rest.Length));
        if (received <= 0)
        {
            // -1 also means "nothing there", but level-triggered epoll does not report a socket then.
            End(reader, 0);
            return;
        }
        ReadOnlySpan<byte> data = buffer.AsSpan(0, _rest.Length + received);
        if (!_upgraded && !TakeUpgrade(ref data, reader))
        {
            Keep(data);
            return;
        }
        while (IsOpen && FrameHeader.TryTakeFrame(ref data, out var first, out var payload))
        {
            OnFrame(first, payload, reader);
        }
        Keep(data);
    }

    public void Dispose()
    {
        IsOpen = false;
        _socket.Dispose();
    }

    private bool TakeUpgrade(ref ReadOnlySpan<byte> data, IWireReader reader)
    {
        var end = data.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return false;
        }

        if (!data.StartsWith("HTTP/1.1 101"u8))
        {
            End(reader, int.Parse(Encoding.ASCII.GetString(data[9..12])));
            return false;
        }
        _upgraded = true;
        data = data[(end + 4)..];
        reader.OnUpgraded(this);
        return true;
    }

    private void OnFrame(byte first, ReadOnlySpan<byte> payload, IWireReader reader)
    {
        var isFinal = (first & FrameHeader.Final) != 0;
        switch (first & FrameHeader.OpcodeBits)
        {
            case FrameHeader.Text when isFinal:
                reader.OnText(this, payload);
                break;
            case FrameHeader.Text or FrameHeader.Continuation:
                _fragments ??= [];
                _fragments.AddRange(payload);
                if (!isFinal)
                {
                    break;
                }

                reader.OnText(this, _fragments.ToArray());
                _fragments = null;
                break;
            case FrameHeader.Ping:
                Send(MaskedFrame.Encode(FrameHeader.Pong, payload, key: 0));
                break;
            case FrameHeader.Close:
                End(reader, CloseFrame.CodeOf(payload));
                break;
        }
    }

    private void Keep(ReadOnlySpan<byte> data)
    {
        if (data.Length != 0 || _rest.Length != 0)
        {
            _rest = data.ToArray();
        }
    }

    private void End(IWireReader reader, int code)
    {
        if (!IsOpen)
        {
            return;
        }

        IsOpen = false;
        _socket.Dispose();
        reader.OnClosed(this, code);
    }
}
