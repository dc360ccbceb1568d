namespace AspireChat.Client.Delivery;

/// <summary>
/// What is known to be durable of one conversation, and who waits for it. A report does not name its log: one that comes while the log is
/// unconfirmed may be about the places of another one, so it is held until the log has a name. Not thread-safe: the session guards it.
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

    /// <summary>The log is confirmed as the one that the held report is about; 0: none is held.</summary>
    public long Release()
    {
        var held = _held;
        _held = 0;
        return held;
    }

    /// <summary>The log is another one: what is known and what is held say nothing about it, and who waits waits in vain.</summary>
    public void Fail(ChatException reason)
    {
        (_reached, _held) = (0, 0);
        while (_waiting.TryDequeue(out var wait, out _))
        {
            wait.TrySetException(reason);
        }
    }
}
