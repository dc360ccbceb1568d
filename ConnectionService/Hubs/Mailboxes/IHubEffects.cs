using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Conversations;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>
/// Everything that a hub may ask for. No call blocks or throws. Every answer comes back to the same hub as a message; answers may come in any
/// order. A hub never has two changes of one channel's subscription under way.
/// </summary>
internal interface IHubEffects
{
    /// <summary>
    /// Answered by <see cref="HubMessage.Subscribed"/>; after success every message published on the channel arrives, unless lost.
    /// </summary>
    void Subscribe(ChatChannel channel);

    /// <summary>Answered by <see cref="HubMessage.Unsubscribed"/>.</summary>
    void Unsubscribe(ChatChannel channel);

    /// <summary>Answered by <see cref="HubMessage.JoinAnswer"/>.</summary>
    /// <param name="rights">What the token of the connection grants in the room; null: it has no claim.</param>
    void Join(string room, string user, long token, int? rights);

    /// <summary>Writes a member's record again. Answered by <see cref="HubMessage.RejoinAnswer"/>.</summary>
    void Rejoin(string room, string user, long token);

    /// <summary>Answered by <see cref="HubMessage.LeaveAnswer"/>.</summary>
    void Leave(string room, string user);

    /// <summary>Answered by <see cref="HubMessage.MembersAnswer"/>.</summary>
    void ReadMembers(IReadOnlyCollection<RoomUsers> rooms);

    /// <summary>Answered by <see cref="HubMessage.PresenceAnswer"/>, in time whatever happens.</summary>
    void ReadPresence(string room);

    /// <summary>Answered by <see cref="HubMessage.RepairAnswer"/>.</summary>
    void ReadForRepair(FeedId feed, long afterSeq, int limit, long token);

    /// <summary>Answered by <see cref="HubMessage.ReplayAnswer"/>. Few such reads of the node run at once; the others wait their turn.</summary>
    void ReadForReplay(FeedId feed, long afterSeq, int limit, long token);

    /// <summary>Answered by <see cref="HubMessage.PlacesAnswer"/>.</summary>
    void ReadPlaces(IReadOnlyCollection<int> partitions);

    /// <summary>Answered by <see cref="HubMessage.HeadsAnswer"/>.</summary>
    void ReadHeads(IReadOnlyCollection<ConversationKey> conversations);

    /// <summary>This hub has handled all removals from rooms that were ordered up to so long ago.</summary>
    bool KnowsRemovals(TimeSpan age);

    /// <summary>This hub has handled the removals of all rounds up to this one.</summary>
    void RemovalsHandled(long round);

    /// <summary>Posts to the hub that owns the room (it may be the same one).</summary>
    void PostToRoom(string room, HubMessage message);

    /// <summary>Posts to this hub. Thread-safe, unlike the other calls: outbound queues use it.</summary>
    void PostToSelf(HubMessage message);

    /// <summary>For presence: the user is (or is no longer) a member, as far as this replica knows.</summary>
    void MembershipChanged(string room, string user, bool member);

    /// <summary>For presence: the user is shown in another way.</summary>
    void ProfileChanged(string user);

    /// <summary>For presence: tell the room's online users again.</summary>
    void PresenceMissed(string room);
}
