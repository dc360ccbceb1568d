using System.Threading.Tasks.Sources;

namespace AspireChat.WebSockets;

/// <summary>What one caller waits for, again and again, without an allocation. Not thread-safe: the owner's lock guards it.</summary>
internal sealed class Signal<T> : IValueTaskSource<T>
{
    private ManualResetValueTaskSourceCore<T> _source;

    public bool IsAwaited { get; private set; }

    /// <summary>One wait at a time.</summary>
    public ValueTask<T> WaitAsync()
    {
        _source.Reset();
        IsAwaited = true;
        return new ValueTask<T>(this, _source.Version);
    }

    /// <summary>The waiting caller goes on within this call.</summary>
    public void Set(T result)
    {
        IsAwaited = false;
        _source.SetResult(result);
    }

    /// <summary>As <see cref="Set"/>, with an exception for the caller.</summary>
    public void Fail(Exception fault)
    {
        IsAwaited = false;
        _source.SetException(fault);
    }

    T IValueTaskSource<T>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<T>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<T>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
