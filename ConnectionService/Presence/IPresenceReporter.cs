namespace AspireChat.ConnectionService.Presence;

/// <summary>
/// Where hubs and connections say what presence has to know about this replica. Every call only notes the change in memory and returns:
/// it never waits for PresenceService, whatever state that is in. Changes are coalesced and sent in batches. Thread-safe;
/// calls for one user must come in the order in which the things happened.
/// </summary>
public interface IPresenceReporter
{
    /// <summary>
    /// A connection of <paramref name="user"/> is open (its <c>welcome</c> is due). Pair each call with one <see cref="ConnectionClosed"/>.
    /// </summary>
    void ConnectionOpened(string user);

    /// <summary>A connection of <paramref name="user"/> has ended, for whatever reason.</summary>
    void ConnectionClosed(string user);

    /// <summary>
    /// <paramref name="user"/> is known to be a member of <paramref name="room"/> (after every successful join, also when they were one
    /// already), or is no longer one (after a leave, on every replica that hears of it). Closing a connection ends no membership. Call it
    /// after the log's script has answered, so that Redis already says the same.
    /// </summary>
    void MembershipChanged(string room, string user, bool member);

    /// <summary>The profile of <paramref name="user"/> changed: frames that name them carry the new one once it is reported.</summary>
    void ProfileChanged(string user);

    /// <summary>
    /// What was published in <paramref name="room"/> may not have reached this replica (pub/sub was interrupted, or too much came at once):
    /// who is online there is to be told again. Call it when the channel is heard again.
    /// </summary>
    void Missed(string room);

    /// <summary>A <c>typing</c> frame of <paramref name="user"/> in a room or to another user: exactly one of the two is given.</summary>
    void Typing(string user, string? room, string? to, bool active);
}
