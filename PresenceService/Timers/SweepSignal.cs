using System.Threading.Channels;

namespace AspireChat.PresenceService.Timers;

/// <summary>
/// Wakes this process' sweep before its time, because something may be due. Ringing twice is ringing once. Safe for concurrent use.
/// </summary>
public sealed class SweepSignal
{
    private readonly Channel<bool> _bell =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Ring() => _bell.Writer.TryWrite(true);

    /// <summary>Returns when it rings or when <paramref name="longest"/> has passed.</summary>
    public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(_bell.Reader.WaitToReadAsync(either.Token).AsTask(), Task.Delay(longest, time, either.Token));
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        _bell.Reader.TryRead(out _);
    }
}
