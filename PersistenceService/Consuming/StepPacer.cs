using Microsoft.Extensions.Options;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>
/// Lets partitions with little to write work together. While there are few batches, each goes at once; above <see cref="FreePerSecond"/> a
/// partition waits for the next common beat, at most <see cref="PersistenceOptions.Linger"/> away, and shares round trips and the
/// transaction with all others. A leaky bucket (GCRA): each batch is paid for with <c>1/FreePerSecond</c> seconds. Thread-safe.
/// </summary>
internal sealed class StepPacer : IDisposable
{
    private const int FreePerSecond = 50;

    /// <summary>Batches in a row that go at once: as many as there are partitions may well come together.</summary>
    private const int FreeInARow = 16;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _linger;
    private readonly long _price;
    private readonly ITimer _timer;
    private TaskCompletionSource? _beat;
    private long _paidUntil;

    public StepPacer(IOptions<PersistenceOptions> options, TimeProvider time)
    {
        _time = time;
        _linger = options.Value.Linger;
        _price = time.TimestampFrequency / FreePerSecond;
        _timer = time.CreateTimer(static pacer => ((StepPacer)pacer!).Beat(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Partitions wait for common beats now.</summary>
    public bool IsShared
    {
        get
        {
            lock (_gate)
            {
                return Shares;
            }
        }
    }

    private bool Shares => _linger > TimeSpan.Zero && _time.GetTimestamp() < _paidUntil - FreeInARow * _price;

    /// <summary>Completes when a partition may look for new records.</summary>
    public Task WaitAsync()
    {
        lock (_gate)
        {
            if (!Shares)
            {
                return Task.CompletedTask;
            }

            if (_beat is null)
            {
                _beat = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _timer.Change(_linger, Timeout.InfiniteTimeSpan);
            }
            return _beat.Task;
        }
    }

    /// <summary>A batch was found.</summary>
    public void Pay()
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            // However busy it was, it is quiet again soon after.
            _paidUntil = Math.Min(Math.Max(_paidUntil, now), now + FreeInARow * _price) + _price;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Beat()
    {
        TaskCompletionSource? beat;
        lock (_gate)
        {
            (beat, _beat) = (_beat, null);
        }

        beat?.SetResult();
    }
}
