namespace AspireChat.Gateway.Sockets;

/// <summary>
/// The client's side of a forwarded socket. Bytes pass through as they are, until <see cref="LeaveAsync"/>: then, between two messages of
/// the service, the client gets the frames of a draining node (<c>reconnect</c>, close 1012), and what the service still sends goes
/// nowhere. The client's answer to the close travels on to the service, which ends the connection as it would any other.
/// <para>One writer at a time besides <see cref="LeaveAsync"/>, which may be called from anywhere and at any time.</para>
/// </summary>
internal sealed class LeavableStream(Stream inner) : Stream
{
    private readonly Lock _gate = new();
    private ServerFrameBounds _bounds = new();
    private byte[]? _farewell;
    private bool _writing;
    private bool _left;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Sends the client away, now or at the end of the message that is under way. Nothing happens when the service has closed already.
    /// </summary>
    /// <param name="after">When the client is asked to come back, in milliseconds.</param>
    public async Task LeaveAsync(int after, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_left) return;
            _farewell = Farewell.Frames(after);
            if (!TryLeave()) return;
        }

        await inner.WriteAsync(_farewell, cancellationToken);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_left) return;
            _writing = true;
        }

        await inner.WriteAsync(buffer, cancellationToken);
        lock (_gate)
        {
            _writing = false;
            _bounds.Advance(buffer.Span);
            if (_farewell is null || !TryLeave()) return;
        }

        await inner.WriteAsync(_farewell, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private bool TryLeave()
    {
        if (_writing || _left || !_bounds.IsBetweenMessages || _bounds.IsClosed) return false;
        return _left = true;
    }
}
