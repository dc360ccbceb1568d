namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// A connection's standing in one room as its read loop sees it. A join or leave under way makes it unsettled: later frames of the same
/// connection for the same room wait for the outcome, so that a client may send join and message in one go. Thread-safe.
/// </summary>
internal sealed class RoomPass
{
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _joined;

    /// <summary>Completes when the hub has decided.</summary>
    public Task Settled => _settled.Task;

    public bool Joined => _joined;

    public void Settle(bool joined)
    {
        _joined = joined;
        _settled.TrySetResult();
    }
}
