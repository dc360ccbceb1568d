using System.Diagnostics;
using AspireChat.Benchmarks.Load;

namespace AspireChat.Benchmarks.Removal;

internal enum RemovalKind
{
    Removal,
    Ban,
    Revocation,
}

/// <summary>What one of them heard who was removed. Thread-safe.</summary>
internal sealed class RemovalTry(RemovalKind kind)
{
    /// <summary>How long a try is watched after its call was answered.</summary>
    public static readonly TimeSpan Watched = TimeSpan.FromSeconds(2.5);

    private readonly Lock _gate = new();
    private readonly List<long> _events = [];
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _served = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _leftAt;

    public RemovalKind Kind => kind;

    public Task Joined => _joined.Task;

    /// <summary>The first event came.</summary>
    public Task Served => _served.Task;

    public void Heard(ReadOnlySpan<byte> frame, long at)
    {
        if (frame.StartsWith("{\"type\":\"room\""u8))
        {
            lock (_gate)
            {
                _events.Add(at);
            }

            _served.TrySetResult();
        }
        else if (frame.StartsWith("{\"type\":\"joined\""u8))
        {
            _joined.TrySetResult();
        }
        else if (frame.StartsWith("{\"type\":\"left\""u8))
        {
            lock (_gate)
            {
                _leftAt = _leftAt == 0 ? at : _leftAt;
            }
        }
        else if (frame.StartsWith("{\"type\":\"error\""u8))
        {
            _joined.TrySetException(new InvalidOperationException(System.Text.Encoding.UTF8.GetString(frame)));
        }
    }

    /// <param name="begun">When the call was made, and when it was answered, as <see cref="Stopwatch"/> timestamps.</param>
    public RemovalTimes ToTimes(long begun, long answered, LiveSocket socket)
    {
        lock (_gate)
        {
            var ended = kind == RemovalKind.Revocation ? socket.ClosedAt : _leftAt;
            var last = _events.Count > 0 ? _events[^1] : begun;
            var second = answered + Stopwatch.Frequency;
            return new RemovalTimes(
                kind, Milliseconds(begun, last), Milliseconds(answered, last), ended == 0 ? null : Milliseconds(begun, ended),
                ended == 0 ? null : Milliseconds(answered, ended), _events.Count(at => at > second),
                ended == 0 ? 0 : _events.Count(at => at > ended));
        }
    }

    /// <summary>Nothing that was before counts as 0.</summary>
    private static double Milliseconds(long from, long to) => to <= from ? 0 : Stopwatch.GetElapsedTime(from, to).TotalMilliseconds;
}

/// <summary>The times of one try, in milliseconds.</summary>
/// <param name="LastFromCall">From the call to the last event that came.</param>
/// <param name="LastFromAnswer">From the call's answer to it.</param>
/// <param name="EndFromCall">From the call to <c>left</c>, or to the close where the tokens were revoked; null: it did not come.</param>
/// <param name="Late">Events that came more than a second after the answer.</param>
/// <param name="Behind">Events that came after <c>left</c>.</param>
internal sealed record RemovalTimes(
    RemovalKind Kind, double LastFromCall, double LastFromAnswer, double? EndFromCall, double? EndFromAnswer, int Late, int Behind);
