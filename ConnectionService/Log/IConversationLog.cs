using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.Log;

/// <summary>
/// The log of conversations, as hubs and endpoints see it. Thread-safe. Every awaited call throws <see cref="LogUnavailableException"/>
/// when Redis can't be reached or the partition is closed; nothing was changed then, or the change is harmless to repeat.
/// </summary>
public interface IConversationLog
{
    /// <summary>
    /// Posts an event to the publisher of its partition. Never blocks. Events that one caller posts to one conversation are accepted in
    /// that order. If true is returned, the completion is called exactly once, on a publisher's thread: post onwards, do not work there.
    /// </summary>
    /// <returns>False when the publisher's queue is full: nothing was accepted, answer <c>unavailable</c>.</returns>
    bool TryAppend(in AppendRequest request);

    /// <summary>
    /// Makes the user a member of the room; the answer is the room's place at that moment, or why the user may not become one
    /// (<see cref="JoinResult.Refusal"/>). Users who are members already are never refused.
    /// </summary>
    /// <param name="rights">What the user's token grants in the room (<see cref="RoomRules"/>); null: it has no claim.</param>
    Task<JoinResult> JoinAsync(string room, string user, CancellationToken cancellationToken, int? rights = null);

    /// <summary>
    /// Makes a user a member again who was one before the log was rebuilt. A user who was removed meanwhile stays out, and a room that was
    /// deleted is not made again (<see cref="JoinResult.Refusal"/>).
    /// </summary>
    Task<JoinResult> RejoinAsync(string room, string user, CancellationToken cancellationToken);

    /// <summary>Ends the membership and tells all replicas through the user's channel. The last owner stays while others are members.</summary>
    Task<LeaveResult> LeaveAsync(string room, string user, CancellationToken cancellationToken);

    /// <summary>
    /// Which of the users are no members of their rooms (any more). A room whose partition is closed is left out; one of many users may be
    /// answered in several parts.
    /// </summary>
    Task<IReadOnlyList<RoomStrangers>> ReadStrangersAsync(IReadOnlyCollection<RoomUsers> rooms, CancellationToken cancellationToken);

    /// <summary>Moves the user's read cursor forward, never back, at most to the head; members hear of it through the channel.</summary>
    Task<ReadResult> ReadAsync(ConversationKey conversation, string user, long seq, CancellationToken cancellationToken);

    /// <summary>Reads at most <paramref name="limit"/> events above <paramref name="afterSeq"/> from the tail, oldest first.</summary>
    Task<TailSlice> ReadTailAsync(ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken);

    /// <summary>The places of partitions in one round trip. Closed ones are left out.</summary>
    Task<IReadOnlyDictionary<int, PartitionPlace>> ReadPlacesAsync(IReadOnlyCollection<int> partitions, CancellationToken cancellationToken);

    /// <summary>The heads of many conversations in one round trip.</summary>
    Task<IReadOnlyDictionary<ConversationKey, ConversationHead>> ReadHeadsAsync(
        IReadOnlyCollection<ConversationKey> conversations, CancellationToken cancellationToken);
}

/// <param name="Event">Seq and epoch are not set yet.</param>
/// <param name="RequireMember">Refuse unless the sender is a member of the room: for sends by HTTP. Sockets check that they joined.</param>
/// <param name="TargetChecked">
/// The caller has made sure that the event's target exists and may be changed by the sender; with <paramref name="AsModerator"/>: if they are a
/// moderator.
/// </param>
/// <param name="AsModerator">With <paramref name="TargetChecked"/>: the sender is not the author of what they delete.</param>
public readonly record struct AppendRequest(
    ConversationEvent Event, bool RequireMember, IAppendCompletion Completion, bool TargetChecked = false,
    RoomAuthority Authority = RoomAuthority.Own, bool AsModerator = false);

/// <summary>On whose authority an event is sent to a room.</summary>
public enum RoomAuthority
{
    /// <summary>The sender's, as the room's rules have it.</summary>
    Own,

    /// <summary>The sender's, whose token does not let them moderate: they count as a member at most.</summary>
    Capped,

    /// <summary>The server's: it needs no membership, and no rule of the room holds it up.</summary>
    Server,
}

public static class RoomAuthorities
{
    /// <summary>That of a user whose token grants these rights in the room; null: the token has no claim.</summary>
    public static RoomAuthority Of(int? rights) =>
        rights is not null && (rights & RoomRules.Moderate) == 0 ? RoomAuthority.Capped : RoomAuthority.Own;
}

/// <summary>Hears what became of an appended event.</summary>
public interface IAppendCompletion
{
    /// <summary>Called once, on a publisher's thread; must neither block nor throw.</summary>
    void Completed(ConversationEvent appended, AppendResult result);
}

public enum AppendStatus
{
    /// <summary>The event has its place in the log.</summary>
    Accepted,

    /// <summary>The nonce was used before: the result is the first event's.</summary>
    Duplicate,

    NotMember,

    /// <summary>The sender is muted, or only moderators send in the room.</summary>
    Forbidden,

    /// <summary>There is no such room, or it must look so to the sender.</summary>
    NoSuchRoom,

    /// <summary>The message that an edit, delete or reaction refers to does not exist, or was deleted.</summary>
    NoSuchTarget,

    /// <summary>Only its author edits or deletes a message.</summary>
    NotAuthor,

    /// <summary>The message has as many edits, or the sender's reactions to it changed as often, as the log takes.</summary>
    TooManyRevisions,

    /// <summary>The message has as many different emojis as it may have.</summary>
    TooManyEmojis,

    /// <summary>
    /// The sender began as many direct conversations in this hour as <see cref="ConversationLogOptions.DirectsBegunPerHour"/> allows; another one
    /// can be begun after <see cref="AppendResult.RetryAfter"/>.
    /// </summary>
    TooManyDirects,

    /// <summary>The message is older than the tail: check it in history, then append with <see cref="AppendRequest.TargetChecked"/>.</summary>
    TargetNotInTail,

    /// <summary>Nothing was accepted; the same nonce may be sent again after <see cref="AppendResult.RetryAfter"/>.</summary>
    Unavailable,

    /// <summary>The product's server did not allow it. The log was not asked.</summary>
    Denied,
}

/// <param name="Timestamp">Unix milliseconds.</param>
/// <param name="RetryAfter">Milliseconds; only with <see cref="AppendStatus.Unavailable"/> and <see cref="AppendStatus.TooManyDirects"/>.</param>
public readonly record struct AppendResult(AppendStatus Status, Guid Id, long Seq, string Epoch, long Timestamp, int RetryAfter)
{
    public static AppendResult Refused(AppendStatus status, string epoch) => new(status, Guid.Empty, 0, epoch, 0, 0);

    public static AppendResult Unavailable(int retryAfter) => new(AppendStatus.Unavailable, Guid.Empty, 0, "", 0, retryAfter);
}

/// <param name="Head">The room's last seq at the moment of joining.</param>
/// <param name="Read">The user's read cursor.</param>
/// <param name="NewMember">False when the user was a member already.</param>
/// <param name="At">The moment of the join, microseconds of the log's clock: a leave of an earlier moment does not end it.</param>
public sealed record JoinResult(string Epoch, long Head, long Read, bool NewMember, long At)
{
    /// <summary>Anything but <see cref="JoinRefusal.None"/>: the user is no member.</summary>
    public JoinRefusal Refusal { get; init; }

    public RoomRole Role { get; init; } = RoomRole.Member;

    public RoomSettings Settings { get; init; } = RoomSettings.Plain;
}

public enum JoinRefusal
{
    None,

    /// <summary>The user is a member of as many rooms as <see cref="ConversationLogOptions.RoomsPerUser"/> allows.</summary>
    TooManyRooms,

    /// <summary>The user created as many rooms in this hour as <see cref="ConversationLogOptions.RoomsCreatedPerHour"/> allows.</summary>
    TooManyCreated,

    /// <summary>The room has as many members as <see cref="ConversationLogOptions.MembersPerRoom"/> allows.</summary>
    RoomIsFull,

    /// <summary>The user sees the room and may not join: they are banned, or their token does not let them.</summary>
    Forbidden,

    /// <summary>There is no such room, or it must look so to the user.</summary>
    NotFound,

    /// <summary>The room was deleted.</summary>
    Deleted,
}

/// <param name="WasMember">False when the user was no member.</param>
/// <param name="At">The moment of the leave, microseconds of the log's clock.</param>
/// <param name="IsLastOwner">Nothing was done: the user is the last owner, and others are members.</param>
public readonly record struct LeaveResult(bool WasMember, long At, bool IsLastOwner = false);

/// <summary>Users of a room of whom it is asked whether they are members.</summary>
public sealed record RoomUsers(string Room, IReadOnlyCollection<string> Users);

/// <param name="At">The moment of the answer, microseconds of the log's clock.</param>
/// <param name="Users">Those asked for who are no members.</param>
public sealed record RoomStrangers(string Room, string Epoch, long At, IReadOnlyList<string> Users);

/// <param name="Seq">The cursor now; -1 when the user has none because they are no member of the room.</param>
public readonly record struct ReadResult(long Seq, bool Moved);

/// <summary>While it stays the same, no conversation of the partition has a new event or a new durable mark.</summary>
public readonly record struct PartitionPlace(string Epoch, long Moves);

/// <param name="Durable">All events up to this seq are committed in PostgreSQL.</param>
public readonly record struct ConversationHead(string Epoch, long Head, long Durable);

/// <summary>Redis can't be reached, or the partition is closed until PersistenceService has opened it: try again.</summary>
public sealed class LogUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Appending for callers who wait for the answer, instead of having it posted somewhere.</summary>
public static class AppendAnswer
{
    /// <summary>Appends one event and waits for its place; <see cref="AppendStatus.Unavailable"/> also when the queue is full.</summary>
    /// <param name="retryAfter">Milliseconds for the answer to a full queue.</param>
    public static Task<AppendResult> AppendAsync(
        this IConversationLog log, ConversationEvent e, int retryAfter, bool requireMember = false, bool targetChecked = false,
        RoomAuthority authority = RoomAuthority.Own, bool asModerator = false)
    {
        var waiter = new Waiter();
        return log.TryAppend(new AppendRequest(e, requireMember, waiter, targetChecked, authority, asModerator))
            ? waiter.Task
            : Task.FromResult(AppendResult.Unavailable(retryAfter));
    }

    private sealed class Waiter : IAppendCompletion
    {
        private readonly TaskCompletionSource<AppendResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<AppendResult> Task => _result.Task;

        public void Completed(ConversationEvent appended, AppendResult result) => _result.TrySetResult(result);
    }
}
