namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>
/// How far this node knows the removals from rooms: those that pub/sub does not bring are read from a stream. A round is a time without a
/// pause in that reading. After a pause a new round begins, and a hub knows the removals again when it has handled those that were read
/// first. So a hub is woken only after a pause. Thread-safe; one caller of <see cref="Read"/>.
/// </summary>
internal sealed class Removals(TimeProvider time)
{
    /// <summary>Two readings that are further apart are of different rounds.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(900);

    /// <summary>A pause that matters to those who are content with older knowledge.</summary>
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(4);

    private long _round;
    private long _afterLongPause;
    private long _readAt;

    /// <summary>All removals from before this moment were read, and posted to the hubs.</summary>
    /// <returns>The round, when it is a new one: the hubs are told of it.</returns>
    public long? Read(long moment)
    {
        var pause = _round == 0 ? TimeSpan.MaxValue : time.GetElapsedTime(Volatile.Read(ref _readAt), moment);
        var round = Volatile.Read(ref _round) + (pause > Pause ? 1 : 0);
        if (pause > LongPause)
        {
            Volatile.Write(ref _afterLongPause, round);
        }

        Volatile.Write(ref _round, round);
        Volatile.Write(ref _readAt, moment);
        return pause > Pause ? round : null;
    }

    /// <param name="handled">The last round that the asking hub has heard of.</param>
    public bool IsKnown(long handled, TimeSpan age) =>
        handled > 0 && handled >= Volatile.Read(ref age < LongPause ? ref _round : ref _afterLongPause)
            && time.GetElapsedTime(Volatile.Read(ref _readAt)) <= age;
}
