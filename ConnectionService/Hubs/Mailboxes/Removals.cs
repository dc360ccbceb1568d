namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>
/// How far this node knows the removals from rooms: those that pub/sub does not bring are read from a stream. A round is a time without a
/// pause in that reading. After a pause a new round begins, and a hub knows the removals again when it has handled those that were read
/// first. So a hub is woken only after a pause. Thread-safe; one caller of <see cref="Read"/>.
/// </summary>
internal sealed class Removals(TimeProvider time)
{
    /// <summary>Two readings that are further apart are of different rounds; below all ages that are asked for.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(900);

    private long _round;
    private long _readAt;

    /// <summary>All removals from before this moment were read, and posted to the hubs.</summary>
    /// <returns>The round, when it is a new one: the hubs are told of it.</returns>
    public long? Read(long moment)
    {
        var isNew = _round == 0 || time.GetElapsedTime(Volatile.Read(ref _readAt), moment) > Pause;
        if (isNew)
        {
            Interlocked.Increment(ref _round);
        }

        Volatile.Write(ref _readAt, moment);
        return isNew ? Volatile.Read(ref _round) : null;
    }

    /// <param name="handled">The last round that the asking hub has heard of.</param>
    public bool IsKnown(long handled, TimeSpan age) =>
        handled == Volatile.Read(ref _round) && handled > 0 && time.GetElapsedTime(Volatile.Read(ref _readAt)) <= age;
}
