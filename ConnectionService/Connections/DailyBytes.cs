using System.Text;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// What one user writes, as this node counts it. It is reported in steps, so that it costs no event a call; the answer says when the user has
/// written as much as they may in a day, on all nodes together. Thread-safe.
/// </summary>
internal sealed class DailyBytes(string user, IUserQuotas quotas, TimeProvider time)
{
    private const long Step = 256 * 1024;

    /// <summary>What an event takes beside its content: ids, names and the rest of its row.</summary>
    private const long EventBytes = 200;

    private long _unreported;

    /// <summary>When the user may write again, a moment of the clock; zero while they may.</summary>
    private long _spentUntil;

    /// <summary>Nothing but what has to be reported would be lost with this.</summary>
    public bool IsForgettable => !IsSpent(out _);

    public bool IsSpent(out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        var until = Volatile.Read(ref _spentUntil);
        if (until == 0)
        {
            return false;
        }

        var now = time.GetTimestamp();
        if (now >= until)
        {
            // The next report begins a period, or says that another node has spent it.
            Interlocked.CompareExchange(ref _spentUntil, 0, until);
            return false;
        }

        retryAfter = time.GetElapsedTime(now, until);
        return true;
    }

    /// <summary>The log has taken this event.</summary>
    public void Add(ConversationEvent e)
    {
        var bytes = EventBytes + (e.Content is { } content ? Encoding.UTF8.GetByteCount(content) : 0) + (e.Details?.Bytes ?? 0);
        if (Interlocked.Add(ref _unreported, bytes) >= Step)
        {
            Report();
        }
    }

    /// <summary>Reports what was not reported yet, and does not wait for the answer.</summary>
    public void Report()
    {
        var bytes = Interlocked.Exchange(ref _unreported, 0);
        if (bytes > 0)
        {
            _ = ReportAsync(bytes);
        }
    }

    private async Task ReportAsync(long bytes)
    {
        try
        {
            var wait = await quotas.SpendBytesAsync(user, bytes, CancellationToken.None);
            if (wait > TimeSpan.Zero)
            {
                Volatile.Write(ref _spentUntil, time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency));
            }
        }
        catch (LogUnavailableException)
        {
            // Goes with the next report.
            Interlocked.Add(ref _unreported, bytes);
        }
    }
}
