using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace AspireChat.Chaos.Faults;

/// <summary>
/// A TCP proxy to a port of this machine that can delay, slice, stop or cut the connections through it. The idea is Toxiproxy's; here it
/// runs in the process that knows when each fault began. Thread-safe.
/// </summary>
internal sealed class TcpFaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Link, bool> _links = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private long _delayTicks;
    private volatile int _slice;
    private volatile bool _refuses;

    public TcpFaultProxy()
    {
        _listener.Start(4_096);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>The port that connections go to. It is known once the server behind it has started.</summary>
    public int Target { get; set; }

    /// <summary>How many connections pass through it now.</summary>
    public int Connections => _links.Count;

    /// <summary>How late each piece is passed on, in both directions.</summary>
    public TimeSpan Delay
    {
        get => new(Interlocked.Read(ref _delayTicks));
        set => Interlocked.Exchange(ref _delayTicks, value.Ticks);
    }

    /// <summary>The most bytes that are passed on at once; 0 for no limit.</summary>
    public int Slice
    {
        get => _slice;
        set => _slice = value;
    }

    /// <summary>New connections are closed at once.</summary>
    public bool Refuses
    {
        get => _refuses;
        set => _refuses = value;
    }

    /// <summary>Resets all connections, or only those that <see cref="Swallow"/> has made useless.</summary>
    public void Cut(bool onlySwallowed = false)
    {
        foreach (var link in _links.Keys)
        {
            if (!onlySwallowed || link.Swallows)
            {
                link.Reset();
            }
        }
    }

    /// <summary>From here on the present connections carry nothing, and neither end is told.</summary>
    public void Swallow()
    {
        foreach (var link in _links.Keys)
        {
            link.Swallows = true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await _listener.AcceptSocketAsync(_stop.Token);
                if (_refuses || Target == 0)
                {
                    near.Close(0);
                }
                else
                {
                    _ = ServeAsync(near);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket near)
    {
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (near)
        {
            near.NoDelay = true;
            var link = new Link(near, far);
            _links.TryAdd(link, true);
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, Target, _stop.Token);
                await Task.WhenAny(PumpAsync(link, near, far), PumpAsync(link, far, near));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The far end refused.
            }
            finally
            {
                _links.TryRemove(link, out _);
                link.Reset();
            }
        }
    }

    private async Task PumpAsync(Link link, Socket from, Socket to)
    {
        const int sliced = 256;
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            while (true)
            {
                var count = await from.ReceiveAsync(buffer, _stop.Token);
                if (count == 0)
                {
                    break;
                }

                if (Delay is { Ticks: > 0 } delay)
                {
                    await Task.Delay(delay, TimeProvider.System, _stop.Token);
                }

                if (link.Swallows)
                {
                    continue;
                }

                var sent = 0;
                for (var slice = _slice; slice > 0 && sent < Math.Min(count, sliced) && !link.Swallows;)
                {
                    var piece = Math.Min(slice, count - sent);
                    await SendAsync(to, buffer.AsMemory(sent, piece));
                    sent += piece;
                }
                if (sent < count)
                {
                    await SendAsync(to, buffer.AsMemory(sent, count - sent));
                }
            }
            // The end of one direction is passed on, because the other direction may still carry data.
            if (!link.Swallows)
            {
                to.Shutdown(SocketShutdown.Send);
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, _stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The connection was cut by this proxy or by one of its ends.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await to.SendAsync(bytes, _stop.Token)..];
        }
    }

    private sealed class Link(Socket near, Socket far)
    {
        public volatile bool Swallows;

        /// <summary>Closing with a linger time of 0 sends RST instead of FIN.</summary>
        public void Reset()
        {
            near.Close(0);
            far.Close(0);
        }
    }
}
