using AspireChat.ConnectionService.Hubs.Mailboxes;

namespace AspireChat.ConnectionService.Hubs.Rooms;

/// <summary>
/// Whether a room's events may be handed out: only while the node knows who was removed. While it does not know, the events stay in the log and
/// are read later. Belongs to one hub.
/// </summary>
internal sealed class RemovalLease(HubContext hub)
{
    /// <summary>
    /// How old the knowledge of removals may be. In a private room that is how long an event may reach somebody who was removed. Of a public
    /// room anybody may read; there a busy node must not hold events up for a slow read.
    /// </summary>
    private static readonly TimeSpan Private = TimeSpan.FromSeconds(1), Public = TimeSpan.FromSeconds(5);

    private bool _isUnconfirmed;

    public bool IsPrivate { get; set; }

    public bool IsHeld(Rejoins rejoins) => IsPrivate
        ? !_isUnconfirmed && !rejoins.IsBusy && hub.Effects.KnowsRemovals(Private)
        : hub.Effects.KnowsRemovals(Public);

    /// <summary>Pub/sub was away: removals may have been missed, and the log has not said yet who is still a member.</summary>
    public void Doubt() => _isUnconfirmed = true;

    /// <summary>The log has said who is no member, and that is dealt with.</summary>
    public void Confirm() => _isUnconfirmed = false;
}
