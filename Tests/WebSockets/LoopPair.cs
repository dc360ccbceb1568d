using System.Net;
using System.Net.Sockets;
using AspireChat.WebSockets;

namespace AspireChat.Tests.WebSockets;

/// <summary>Counts what the loop calls; the test says what happens when its socket is ready. Thread-safe, but for <see cref="Ready"/>.</summary>
internal sealed class LoopMember(long id) : IEventLoopMember
{
    private int _calls;
    private int _sweeps;

    public long Id => id;

    public Action? Ready { get; set; }

    public int Calls => Volatile.Read(ref _calls);

    public int Sweeps => Volatile.Read(ref _sweeps);

    public Exception? Failure { get; private set; }

    public void OnReady(byte[] buffer)
    {
        Interlocked.Increment(ref _calls);
        Ready!();
    }

    public void OnSweep() => Interlocked.Increment(ref _sweeps);

    public void Fail(Exception fault) => Failure = fault;
}

/// <summary>A connection over loopback: the near end is the member's, the far end the test's.</summary>
internal sealed class LoopPair : IDisposable
{
    public LoopPair(LoopMember member)
    {
        Member = member;
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Far.Connect(listener.LocalEndPoint!);
        Near = listener.Accept();
    }

    public LoopMember Member { get; }

    public Socket Near { get; }

    public Socket Far { get; }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }
}
