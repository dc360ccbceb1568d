using Microsoft.AspNetCore.Http.Features;

namespace AspireChat.WebSockets;

/// <summary>
/// The client's side of a WebSocket that a proxy forwards. Bytes pass through unchanged until <see cref="LeaveAsync"/>: then the client
/// gets a farewell between two messages of the server, and what the server still sends is dropped. The client's answer to the close frame
/// travels on to the server, which ends the connection as it would any other.
/// <para>One writer at a time. <see cref="LeaveAsync"/> may be called by any thread at any time.</para>
/// </summary>
public sealed class LeavableStream(Stream transport) : TransportStream(transport)
{
    private readonly Lock _gate = new();
    private ServerFrameBounds _bounds = new();
    private ReadOnlyMemory<byte>? _farewell;
    private bool _writing;
    private bool _left;

    /// <summary>
    /// Sends the farewell, now or at the end of the message that is under way. Nothing happens when the server has closed already.
    /// </summary>
    /// <param name="farewell">Whole frames, the last of them a close frame.</param>
    public async Task LeaveAsync(ReadOnlyMemory<byte> farewell, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _farewell ??= farewell;
            if (!TryLeave())
            {
                return;
            }
        }
        await Transport.WriteAsync(farewell, cancellationToken);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_left)
            {
                return;
            }
            _writing = true;
        }
        await Transport.WriteAsync(buffer, cancellationToken);
        ReadOnlyMemory<byte> farewell;
        lock (_gate)
        {
            _writing = false;
            _bounds.Advance(buffer.Span);
            if (!TryLeave())
            {
                return;
            }
            farewell = _farewell!.Value;
        }
        await Transport.WriteAsync(farewell, cancellationToken);
    }

    public override ValueTask DisposeAsync() => Transport.DisposeAsync();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Transport.Dispose();
        }
        base.Dispose(disposing);
    }

    private bool TryLeave()
    {
        if (_farewell is null || _writing || _left || !_bounds.CanInsert)
        {
            return false;
        }
        return _left = true;
    }
}

/// <summary>A request's feature that puts a <see cref="LeavableStream"/> between client and proxy, for HTTP/1.1 and HTTP/2.</summary>
public sealed class LeavableUpgrade : IHttpUpgradeFeature, IHttpExtendedConnectFeature
{
    private readonly IHttpUpgradeFeature? _upgrade;
    private readonly IHttpExtendedConnectFeature? _connect;

    /// <summary>Takes the place of the request's own features.</summary>
    public LeavableUpgrade(IFeatureCollection features)
    {
        _upgrade = features.Get<IHttpUpgradeFeature>();
        _connect = features.Get<IHttpExtendedConnectFeature>();
        if (_upgrade is not null)
        {
            features.Set<IHttpUpgradeFeature>(this);
        }
        if (_connect is not null)
        {
            features.Set<IHttpExtendedConnectFeature>(this);
        }
    }

    /// <summary>Null before the upgrade.</summary>
    public LeavableStream? Stream { get; private set; }

    public bool IsUpgradableRequest => _upgrade is { IsUpgradableRequest: true };

    public bool IsExtendedConnect => _connect is { IsExtendedConnect: true };

    public string? Protocol => _connect?.Protocol;

    public async Task<Stream> UpgradeAsync() => Stream = new LeavableStream(await _upgrade!.UpgradeAsync());

    public async ValueTask<Stream> AcceptAsync() => Stream = new LeavableStream(await _connect!.AcceptAsync());
}
