using Microsoft.AspNetCore.Http.Features;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// The transport under a WebSocket. When the framework meets a protocol error (bad UTF-8, a broken frame) it sends the close frame and
/// disposes the transport at once; that resets the TCP connection, and the reset overtakes the close frame: the client would never learn
/// the
/// code. Here such a disposal leaves the transport open for <see cref="LingerAsync"/>; any other cuts it.
/// </summary>
internal sealed class LingeringStream(Stream inner, Action abort) : Stream
{
    private const byte FinalCloseFrame = 0x88;

    private volatile bool _closeSent;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // The framework writes each frame with its header in one call.
        _closeSent |= buffer.Length > 0 && buffer.Span[0] == FinalCloseFrame;
        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    /// <summary>
    /// After the framework closed: reads on until the client has gone, so that nothing unread turns the end into a reset.
    /// </summary>
    public async Task LingerAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!_closeSent)
            return;
        using var timeout = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var scratch = new byte[1024];
        try
        {
            while (await inner.ReadAsync(scratch, either.Token) > 0)
            {
                // What a client says after its fault is for nobody.
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Gone, or it had its time.
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (!_closeSent)
            abort();
        base.Dispose(disposing);
    }
}

/// <summary>Puts the <see cref="LingeringStream"/> under the framework's WebSocket.</summary>
internal sealed class LingeringUpgrade(IHttpUpgradeFeature inner, Action abort) : IHttpUpgradeFeature
{
    public bool IsUpgradableRequest => inner.IsUpgradableRequest;

    public LingeringStream? Stream { get; private set; }

    public async Task<Stream> UpgradeAsync() => Stream = new LingeringStream(await inner.UpgradeAsync(), abort);
}
