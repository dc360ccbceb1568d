using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using AspireChat.WebSockets;

namespace AspireChat.LoopPeer;

/// <summary>
/// The least that delivery costs in .NET: one thread with epoll, one receive per readable socket, one send per recipient. A client is in
/// the room that its path names, and what it sends goes to all in the room. Nothing is promised: no tokens, no log, no acknowledgement,
/// and a recipient whose socket is full misses the message.
/// </summary>
internal sealed class LoopServer : IDisposable
{
    private const long ListenerTag = -1;
    private const int BufferBytes = 64 * 1024;

    private readonly Epoll _epoll = new();
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Dictionary<long, LoopClient> _clients = [];
    private readonly Dictionary<string, List<LoopClient>> _rooms = [];
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly byte[] _frame = new byte[BufferBytes + FrameHeader.MaxLength];
    private long _last;

    public LoopServer(int port)
    {
        _listener.Blocking = false;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen(4_096);
        _epoll.Watch(_listener.SafeHandle, Readiness.Readable, ListenerTag);
    }

    /// <summary>Does not return.</summary>
    public void Run()
    {
        while (true)
        {
            var ready = _epoll.Wait(Timeout.Infinite);
            for (var i = 0; i < ready; i++)
            {
                var tag = _epoll.Ready(i).Tag;
                if (tag == ListenerTag)
                {
                    Accept();
                }
                else if (_clients.TryGetValue(tag, out var client))
                {
                    Read(client);
                }
            }
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _epoll.Dispose();
    }

    private void Accept()
    {
        // Epoll reports the listener again while more clients wait.
        var socket = _listener.Accept();
        socket.NoDelay = true;
        var client = new LoopClient(++_last, socket);
        _clients[client.Id] = client;
        _epoll.Watch(socket.SafeHandle, Readiness.Readable, client.Id);
    }

    private void Read(LoopClient client)
    {
        client.Rest.CopyTo(_buffer, 0);
        var received = Epoll.Receive(client.Socket.SafeHandle, _buffer.AsSpan(client.Rest.Length));
        if (received <= 0)
        {
            Drop(client);
            return;
        }

        ReadOnlySpan<byte> data = _buffer.AsSpan(0, client.Rest.Length + received);
        if (client.Room is not null || TryUpgrade(client, ref data))
        {
            for (var rest = data; FrameHeader.TryTakeFrame(ref rest, out var first, out var payload); data = rest)
            {
                OnFrame(client, first, payload, data[..^rest.Length]);
            }
        }
        client.Rest = data.IsEmpty ? [] : data.ToArray();
    }

    private bool TryUpgrade(LoopClient client, ref ReadOnlySpan<byte> data)
    {
        var end = data.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return false;
        }
        var lines = Encoding.ASCII.GetString(data[..end]).Split("\r\n");
        const string Key = "Sec-WebSocket-Key: ";
        var key = lines.First(line => line.StartsWith(Key, StringComparison.OrdinalIgnoreCase))[Key.Length..];
        client.Send(Encoding.ASCII.GetBytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + $"Sec-WebSocket-Accept: {Handshake.AcceptOf(key)}\r\n\r\n"));
        ref var room = ref CollectionsMarshal.GetValueRefOrAddDefault(_rooms, lines[0].Split(' ')[1], out _);
        client.Room = room ??= [];
        client.Room.Add(client);
        data = data[(end + 4)..];
        return true;
    }

    private void OnFrame(LoopClient client, byte first, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> frame)
    {
        var opcode = first & FrameHeader.OpcodeBits;
        if (opcode == FrameHeader.Close)
        {
            Drop(client);
            return;
        }
        if (opcode != FrameHeader.Text)
        {
            return;
        }

        var header = FrameHeader.Write(_frame, FrameHeader.Text, payload.Length);
        var text = _frame.AsSpan(header, payload.Length);
        payload.CopyTo(text);
        // A client masks its frames. The key stands before the payload.
        MaskedFrame.Apply(text, MemoryMarshal.Read<uint>(frame[^(payload.Length + sizeof(uint))..]));
        foreach (var member in CollectionsMarshal.AsSpan(client.Room))
        {
            member.Send(_frame.AsSpan(0, header + payload.Length));
        }
    }

    private void Drop(LoopClient client)
    {
        client.Room?.Remove(client);
        _clients.Remove(client.Id);
        client.Socket.Dispose();
    }
}

/// <summary>One connection. The loop's thread owns it.</summary>
internal sealed class LoopClient(long id, Socket socket)
{
    public long Id { get; } = id;

    public Socket Socket { get; } = socket;

    /// <summary>All who are in the same room. Null until the handshake has arrived.</summary>
    public List<LoopClient>? Room { get; set; }

    /// <summary>The beginning of a frame that has not fully arrived.</summary>
    public byte[] Rest { get; set; } = [];

    /// <summary>What a full socket does not take is lost.</summary>
    public void Send(ReadOnlySpan<byte> bytes) => Epoll.Send(Socket.SafeHandle, bytes);
}
