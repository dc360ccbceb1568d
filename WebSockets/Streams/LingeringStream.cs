using Microsoft.AspNetCore.Http.Features;

namespace AspireChat.WebSockets;

/// <summary>
/// The transport under a WebSocket of the framework's. On a protocol error (bad UTF-8, a broken frame) the framework sends the close frame
/// and disposes the transport at once. That resets the TCP connection, and the reset overtakes the close frame: the client never learns the
/// code. This stream stays open in that case, for <see cref="LingerAsync"/>. Any other disposal cuts the connection.
/// </summary>
/// <param name="abort">Cuts the connection.</param>
public sealed class LingeringStream(Stream transport, Action abort) : TransportStream(transport)
{
    private const byte FinalClose = FrameHeader.Final | FrameHeader.Close;

    private volatile bool _closeSent;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // The framework writes each frame with its header in one call.
        _closeSent |= buffer.Length > 0 && buffer.Span[0] == FinalClose;
        return Transport.WriteAsync(buffer, cancellationToken);
    }

    /// <summary>
    /// Call it when the framework has closed: reads on until the client has gone, because unread bytes would turn the end of the connection
    /// into a reset.
    /// </summary>
    public async Task LingerAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!_closeSent)
        {
            return;
        }
        using var timeout = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var scratch = new byte[1024];
        try
        {
            while (await Transport.ReadAsync(scratch, either.Token) > 0)
            {
                // What a client says after its fault is for nobody.
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client is gone, or its time is up.
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (!_closeSent)
        {
            abort();
        }
        base.Dispose(disposing);
    }
}

/// <summary>A request's feature that puts a <see cref="LingeringStream"/> under the framework's WebSocket.</summary>
public sealed class LingeringUpgrade(IHttpUpgradeFeature inner, Action abort) : IHttpUpgradeFeature
{
    public bool IsUpgradableRequest => inner.IsUpgradableRequest;

    /// <summary>Null before the upgrade.</summary>
    public LingeringStream? Stream { get; private set; }

    public async Task<Stream> UpgradeAsync() => Stream = new LingeringStream(await inner.UpgradeAsync(), abort);
}
