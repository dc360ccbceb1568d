using System.Net;
using System.Net.Sockets;
using AspireChat.WebSockets;

namespace AspireChat.Benchmarks.Micro;

/// <summary>Connections over loopback. A thread of its own reads and discards the data at their far ends.</summary>
internal sealed class SocketSink : IDisposable
{
    private readonly Epoll _epoll = new();
    private readonly List<Socket> _ends = [];
    private readonly Thread _thread;
    private volatile bool _stopped;

    public SocketSink(int count)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(count);
        for (var i = 0; i < count; i++)
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.Connect(listener.LocalEndPoint!);
            Clients.Add(client);
            _ends.Add(listener.Accept());
            _epoll.Watch(_ends[i].SafeHandle, Readiness.Readable, i);
        }
        _thread = new Thread(Run) { IsBackground = true, Name = "sink" };
        _thread.Start();
    }

    /// <summary>The near ends of the connections.</summary>
    public List<Socket> Clients { get; } = [];

    public void Dispose()
    {
        _stopped = true;
        _thread.Join();
        foreach (var socket in Clients.Concat(_ends))
        {
            socket.Dispose();
        }

        _epoll.Dispose();
    }

    private void Run()
    {
        var buffer = new byte[256 * 1024];
        while (!_stopped)
        {
            var ready = _epoll.Wait(50);
            for (var i = 0; i < ready; i++)
            {
                Epoll.Receive(_ends[(int)_epoll.Ready(i).Tag].SafeHandle, buffer);
            }
        }
    }
}
