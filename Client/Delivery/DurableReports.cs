namespace AspireChat.Client.Delivery;

/// <summary>
/// How far one conversation is known to be durable, and the calls that wait for more. A report does not name its log. While the log is
/// unconfirmed, a report may be about another log, so it is held. Not thread-safe: the session's gate guards it.
/// </summary>
internal sealed class DurableReports
{
    private readonly PriorityQueue<TaskCompletionSource, long> _waiting = new();
    private long _reached;
    private long _held;

    public Task WaitAsync(long seq)
    {
        if (seq <= _reached)
        {
            return Task.CompletedTask;
        }

        var wait = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue(wait, seq);
        return wait.Task;
    }

    public void Reach(long seq)
    {
        _reached = Math.Max(_reached, seq);
        while (_waiting.TryPeek(out var wait, out var waited) && waited <= _reached)
        {
            _waiting.Dequeue();
            wait.TrySetResult();
        }
    }

    public void Hold(long seq) => _held = Math.Max(_held, seq);

    /// <summary>Gives up the held report, because the log is confirmed now. 0 means that none was held.</summary>
    public long Release()
    {
        var held = _held;
        _held = 0;
        return held;
    }

    /// <summary>The log was replaced. What was reported says nothing about the new one, so every waiting call fails.</summary>
    public void Fail(ChatException reason)
    {
        (_reached, _held) = (0, 0);
        while (_waiting.TryDequeue(out var wait, out _))
        {
            wait.TrySetException(reason);
        }
    }
}
