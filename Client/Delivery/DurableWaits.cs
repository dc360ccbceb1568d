namespace AspireChat.Client.Delivery;

/// <summary>Who waits until the database has a seq of one conversation. Not thread-safe: the session guards it.</summary>
internal sealed class DurableWaits
{
    private readonly PriorityQueue<TaskCompletionSource, long> _waiting = new();
    private long _reached;

    public Task WaitAsync(long seq)
    {
        if (seq <= _reached)
            return Task.CompletedTask;
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

    public void Fail(ChatException reason)
    {
        _reached = 0;
        while (_waiting.TryDequeue(out var wait, out _))
            wait.TrySetException(reason);
    }
}
