namespace AspireChat.Client.Delivery;

/// <summary>
/// The user's seat in a room: whether it is wanted, whether the present connection has it, and the calls that wait for either to change. A
/// direct conversation is always wanted and needs no joining. Not thread-safe: the session's gate guards it.
/// </summary>
internal sealed class RoomSeat(Conversation name)
{
    private TaskCompletionSource<RoomJoined>? _joining;
    private bool _wasWanted;

    /// <summary>The room is to be joined on every connection.</summary>
    public bool IsWanted { get; set; } = !name.IsRoom;

    /// <summary>The room is subscribed on the present connection.</summary>
    public bool IsJoined { get; private set; }

    /// <summary>The room as it was when it was joined last.</summary>
    public RoomJoined? Snapshot { get; private set; }

    /// <summary>When the join or leave is sent again, unless an answer comes first.</summary>
    public TimeSpan? AskAgainAt { get; set; }

    /// <summary>Completes when the room is left; null when it is not being left.</summary>
    public TaskCompletionSource? Leaving { get; private set; }

    /// <summary>Completes when the room is joined next.</summary>
    public Task<RoomJoined> WantAsync()
    {
        IsWanted = true;
        _joining ??= new TaskCompletionSource<RoomJoined>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _joining.Task;
    }

    public void Take(RoomJoined snapshot)
    {
        (IsJoined, AskAgainAt, Snapshot) = (true, null, snapshot);
        _joining?.TrySetResult(snapshot);
        _joining = null;
    }

    /// <summary>The server says that this connection has not joined the room.</summary>
    public void Lose() => IsJoined = false;

    /// <summary>The connection is gone.</summary>
    public void Down() => (IsJoined, AskAgainAt) = (false, null);

    /// <summary>The room is to be left. The answer completes what is returned.</summary>
    public TaskCompletionSource Leave()
    {
        (_wasWanted, IsWanted) = (IsWanted, false);
        Leaving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The failure counts as observed even when no caller waits for the answer any more.
        _ = Leaving.Task.ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return Leaving;
    }

    /// <summary>The server refused to end the membership, so the room is followed as before.</summary>
    public void Stay(ChatException reason)
    {
        IsWanted = _wasWanted;
        AskAgainAt = null;
        var leaving = Leaving;
        Leaving = null;
        leaving?.TrySetException(reason);
    }

    /// <summary>The room is no longer wanted, and calls that wait for the join fail.</summary>
    public void Drop(ChatException reason)
    {
        (IsWanted, IsJoined) = (false, false);
        _joining?.TrySetException(reason);
        // The failure counts as observed even when no caller waits for it any more.
        _ = _joining?.Task.Exception;
        _joining = null;
    }
}
