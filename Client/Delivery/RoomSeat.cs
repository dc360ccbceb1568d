namespace AspireChat.Client.Delivery;

/// <summary>
/// The user's place in a room: whether it is wanted, whether the present connection has it, and who waits for either to change. A direct
/// conversation is always wanted and needs no joining. Not thread-safe: the session guards it.
/// </summary>
internal sealed class RoomSeat(Conversation name)
{
    private TaskCompletionSource<RoomJoined>? _joining;

    /// <summary>The room is to be joined on every connection.</summary>
    public bool IsWanted { get; set; } = !name.IsRoom;

    /// <summary>The room is subscribed on the present connection.</summary>
    public bool IsJoined { get; private set; }

    /// <summary>The room as it was when it was joined last.</summary>
    public RoomJoined? Snapshot { get; private set; }

    /// <summary>When to ask for the room again, or to be let out of it, unless there is an answer before.</summary>
    public TimeSpan? AskAgainAt { get; set; }

    /// <summary>Who waits until the room is left; null when it is not being left.</summary>
    public TaskCompletionSource? Leaving { get; set; }

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

    /// <summary>The server does not know the connection as joined.</summary>
    public void Lose() => IsJoined = false;

    /// <summary>There is no connection any more to be asked on.</summary>
    public void Down() => (IsJoined, AskAgainAt) = (false, null);

    /// <summary>It is wanted no longer, and who waits for it waits in vain.</summary>
    public void Drop(ChatException reason)
    {
        (IsWanted, IsJoined) = (false, false);
        _joining?.TrySetException(reason);
        // Nobody need wait any more, and then its failure is no unobserved one.
        _ = _joining?.Task.Exception;
        _joining = null;
    }
}
