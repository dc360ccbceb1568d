using System.Threading.Channels;

namespace AspireChat.RedisLog;

/// <summary>
/// Wakes one loop that waits, or otherwise looks at Redis on a timer, because there may be something to do now. Rings that come before the loop waits
/// again count as one. <see cref="Ring"/> is thread-safe; one loop waits.
/// </summary>
public sealed class Doorbell(TimeProvider time)
{
    private readonly Channel<bool> _rung =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Ring() => _rung.Writer.TryWrite(true);

    /// <summary>Returns at the next ring, at once if it rang since the last wait.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken) => await _rung.Reader.ReadAsync(cancellationToken);

    /// <summary>Returns at the next ring, at once if it rang since the last wait, or after <paramref name="longest"/>.</summary>
    public async Task WaitAsync(TimeSpan longest, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(_rung.Reader.WaitToReadAsync(either.Token).AsTask(), Task.Delay(longest, time, either.Token));
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        _rung.Reader.TryRead(out _);
    }
}
