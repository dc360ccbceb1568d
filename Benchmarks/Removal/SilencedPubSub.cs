using System.Net;
using System.Net.Sockets;

namespace AspireChat.Benchmarks.Removal;

/// <summary>
/// Stands between a node and its Redis and takes every message of pub/sub out of what Redis sends, once <see cref="IsSilent"/> is set. All else
/// passes, subscriptions and their confirmations too: the node has no broken connection to notice. Thread-safe.
/// </summary>
internal sealed class SilencedPubSub : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private readonly int _target;
    private long _taken;
    private volatile bool _isSilent;

    /// <param name="target">The port of Redis on this machine.</param>
    public SilencedPubSub(int target)
    {
        _target = target;
        _listener.Start(512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    public bool IsSilent
    {
        get => _isSilent;
        set => _isSilent = value;
    }

    /// <summary>Messages that did not arrive.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
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
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                await Task.WhenAny(PassAsync(near, far, null), PassAsync(far, near, new RespReplies()));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // One of the ends is gone.
            }
        }
    }

    private async Task PassAsync(Socket from, Socket to, RespReplies? replies)
    {
        var buffer = new byte[64 * 1_024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var count)
            {
                ReadOnlyMemory<byte> bytes = buffer.AsMemory(0, count);
                if (replies is not null)
                {
                    bytes = replies.Take(bytes.Span, _isSilent, out var taken);
                    Interlocked.Add(ref _taken, taken);
                }

                while (bytes.Length > 0)
                {
                    bytes = bytes[await to.SendAsync(bytes, _stop.Token)..];
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One of the ends is gone.
        }
    }
}
