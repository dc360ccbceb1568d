using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>A feed of a hub: the conversation, and for a direct one the local user that follows it.</summary>
internal readonly record struct FeedId(ConversationKey Key, string? User);

/// <summary>The users that are online or typing in a room, as PresenceService last wrote them. Soft: empty when they can't be read.</summary>
internal sealed record RoomPresence(IReadOnlyList<string> Online, long Count, IReadOnlyList<string> Typing)
{
    /// <summary>Of those users, the ones who have a profile.</summary>
    public IReadOnlyDictionary<string, RawJson> Profiles { get; init; } = new Dictionary<string, RawJson>();

    public static RoomPresence Unknown { get; } = new([], 0, []);
}

/// <summary>
/// What a hub's loop handles, one at a time. Answers to what the hub asked through <see cref="IHubEffects"/> are messages too.
/// </summary>
internal abstract record HubMessage
{
    /// <summary>The hub's clock, monotonic milliseconds.</summary>
    public sealed record Tick(long Now, long UnixNow) : HubMessage;

    public sealed record Opened(Connection Connection) : HubMessage;

    public sealed record Closed(Connection Connection) : HubMessage;

    public sealed record Join(Connection Connection, string Room, RoomPass Pass, long? Since, string? Epoch, RawJson? Ref) : HubMessage;

    public sealed record Leave(Connection Connection, string Room, RoomPass Pass, RawJson? Ref) : HubMessage;

    public sealed record ResumeDirect(Connection Connection, string To, long Since, string? Epoch, RawJson? Ref) : HubMessage;

    /// <summary>The log's answer to an event that the connection sent.</summary>
    public sealed record Appended(Connection Connection, ConversationEvent Event, AppendResult Result) : HubMessage;

    /// <summary>The connection's queue has space again: its replay of this feed goes on.</summary>
    public sealed record SpaceToSend(Connection Connection, FeedId Feed) : HubMessage;

    public sealed record Subscribed(ChatChannel Channel, bool Success) : HubMessage;

    public sealed record Unsubscribed(ChatChannel Channel) : HubMessage;

    public sealed record Payload(ChatChannel Channel, ReadOnlyMemory<byte> Bytes) : HubMessage;

    /// <summary>Messages of the channel were dropped because the mailbox was full.</summary>
    public sealed record Overflowed(ChatChannel Channel) : HubMessage;

    /// <summary>The pub/sub connection was lost and is back: anything may have been missed.</summary>
    public sealed record Restored : HubMessage;

    /// <summary>No result: the log can't be reached.</summary>
    public sealed record JoinAnswer(string Room, long Token, JoinResult? Result) : HubMessage;

    /// <summary>Whether a member's record is in the log again. False: the log can't be reached.</summary>
    public sealed record RejoinAnswer(string Room, long Token, bool Written) : HubMessage
    {
        /// <summary>Anything but None: the user is no member any more.</summary>
        public JoinRefusal Refusal { get; init; }
    }

    /// <summary>No moment: the log can't be reached.</summary>
    public sealed record LeaveAnswer(string Room, string User, long? At) : HubMessage
    {
        /// <summary>Nothing was done: the user is the last owner, and others are members.</summary>
        public bool IsLastOwner { get; init; }
    }

    /// <summary>The users that are no members any more. Nothing: the log can't be reached.</summary>
    public sealed record MembersAnswer(IReadOnlyList<RoomStrangers>? Rooms) : HubMessage;

    public sealed record PresenceAnswer(string Room, RoomPresence Presence) : HubMessage;

    /// <summary>No slice: the log can't be reached.</summary>
    public sealed record RepairAnswer(FeedId Feed, long Token, TailSlice? Slice) : HubMessage;

    /// <summary>No slice: the log can't be reached.</summary>
    public sealed record ReplayAnswer(FeedId Feed, long Token, TailSlice? Slice) : HubMessage;

    /// <summary>Closed partitions are left out. No places: the log can't be reached.</summary>
    public sealed record PlacesAnswer(IReadOnlyDictionary<int, PartitionPlace>? Places) : HubMessage;

    /// <summary>No heads: the log can't be reached.</summary>
    public sealed record HeadsAnswer(IReadOnlyDictionary<ConversationKey, ConversationHead>? Heads) : HubMessage;

    /// <summary>
    /// The user's membership of the room has ended, wherever that was asked for. It says nothing of a join after the moment.
    /// </summary>
    /// <param name="User">Empty: that of all users.</param>
    /// <param name="Reason">The <c>reason</c> of <c>left</c>; null: the user left.</param>
    public sealed record MembershipEnded(string Room, string User, long At, string? Reason = null) : HubMessage;

    /// <summary>The connection's token may let it no longer into the room.</summary>
    public sealed record RightsChanged(Connection Connection, string Room) : HubMessage;

    /// <summary>The removals that were read up to this round came before this message.</summary>
    public sealed record RemovalsRead(long Round) : HubMessage;

    /// <summary>An operator disconnects the user's connections that are older than the moment (Unix milliseconds).</summary>
    public sealed record Kicked(string User, long At) : HubMessage;

    /// <summary>An operator revoked the user's tokens that were issued until the moment (Unix milliseconds).</summary>
    public sealed record Revoked(string User, long Until) : HubMessage;
}
