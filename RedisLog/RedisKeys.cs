using System.Globalization;
using AspireChat.Contracts.Conversations;
using StackExchange.Redis;

namespace AspireChat.RedisLog;

/// <summary>
/// Every Redis key of the project, with its type and lifetime. No other file spells one. Keys of a partition carry it as hash tag
/// (<c>{p07}:…</c>), so that all keys of one script call live in one Redis Cluster slot. Channels are in <see cref="RedisChannels"/>.
/// </summary>
public static class RedisKeys
{
    /// <summary>Consumer group of the partition log that writes PostgreSQL.</summary>
    public const string PersistGroup = "persist";

    /// <summary>
    /// string: the partition's epoch. Where it is missing, the partition is closed and nothing can be appended: Redis is new or was
    /// emptied. PersistenceService sets a new epoch once it has seeded heads, members and read cursors from PostgreSQL.
    /// </summary>
    public static string Epoch(int partition) => $"{Tag(partition)}:epoch";

    /// <summary>
    /// stream: everything durable of the partition in the order of acceptance, several events in an entry, in the forms of
    /// <see cref="LogEntry"/>. Trimmed only up to what is committed.
    /// </summary>
    public static string Log(int partition) => $"{Tag(partition)}:log";

    /// <summary>
    /// string: id of the last log entry known as committed in PostgreSQL, noted after the commit. One of the two servers was restored to an
    /// older state when PostgreSQL is behind this, or ahead of it by an entry that the log does not have.
    /// </summary>
    public static string Committed(int partition) => $"{Tag(partition)}:committed";

    /// <summary>
    /// string: a number that grows with each call that gives events of the partition their place or moves a durable mark. While it stays the
    /// same, so do the heads of all conversations.
    /// </summary>
    public static string Moves(int partition) => $"{Tag(partition)}:moves";

    /// <summary>
    /// string: there since the partition's bell (<see cref="RedisChannels.LogBell"/>) was rung, until its owner is about to read. Appending
    /// rings it only when it is not there.
    /// </summary>
    public static string Rung(int partition) => $"{Tag(partition)}:rung";

    /// <summary>sorted set: the living PersistenceService replicas, scored by the Unix milliseconds until when each counts as alive.</summary>
    public const string Persisters = "persisters";

    /// <summary>stream: log entries that PostgreSQL refused for their data; never trimmed by itself.</summary>
    public static string DeadLetters(int partition) => $"{Tag(partition)}:dead";

    /// <summary>string with expiry: the PersistenceService replica that owns the partition now.</summary>
    public static string Owner(int partition) => $"{Tag(partition)}:owner";

    /// <summary>
    /// hash: first 16 bytes of SHA-256(conversation, sender, nonce) → first ack. One hash a day, kept until the day after has ended: a
    /// nonce is remembered for at least 24 h at half the memory of a key with an expiry each.
    /// </summary>
    public static string Nonces(int partition, long day) => $"{Tag(partition)}:nonces:{day.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>hash: where the conversation stands, in the fields of <see cref="ConversationFields"/>.</summary>
    public static string Conversation(ConversationKey key) => $"{Tag(key.Partition)}:c:{key.Value}";

    /// <summary>
    /// stream with entry id <c>seq-0</c> and the field of <see cref="TailFields"/>: the recent events, and all that are not committed yet.
    /// <see cref="TailReader"/> reads it. Expires when all of it is committed and nothing is added for a while (durable.lua).
    /// </summary>
    public static string Tail(ConversationKey key) => $"{Tag(key.Partition)}:t:{key.Value}";

    /// <summary>
    /// hash: what became of events in the tail, written and cleaned by append.lua. <c>seq</c> → the record of an event whose content was
    /// deleted (it is no longer in the tail itself); <c>edits:seq</c> → the seqs of the edits of that message, should it be deleted;
    /// <c>emojis:seq</c> → how many different emojis it was given, and the seq of the last new one; <c>emoji:seq:…</c> → the seq of the last
    /// reaction with this one; <c>by:seq:user</c> → how often the user changed their reactions to it, and the seq of the last change.
    /// Expires with <see cref="Tail"/>.
    /// </summary>
    public static string Revisions(ConversationKey key) => $"{Tag(key.Partition)}:x:{key.Value}";

    /// <summary>hash: user → read cursor (seq). The fields of a room's hash are its members.</summary>
    public static string Members(ConversationKey key) => $"{Tag(key.Partition)}:m:{key.Value}";

    /// <summary>
    /// hash: what a room is and who may do what in it, beside its log (rules.lua). <c>visibility</c>, <c>sending</c>, <c>retentionDays</c>,
    /// <c>created</c>; <c>name</c>, <c>topic</c>, <c>meta</c> as JSON; <c>role:user</c> of moderators and owners; <c>ban:user</c> and
    /// <c>mute:user</c> → <c>until by reason</c>; <c>gone:user</c> → when the user was removed; <c>owners</c>, <c>bans</c>, <c>mutes</c>
    /// (how many); <c>heir</c> (who joins next is the owner); <c>plain</c> (a join created it, and nobody has used its rules). A room without the hash is from before there were roles.
    /// </summary>
    public static string Rules(ConversationKey key) => $"{Tag(key.Partition)}:g:{key.Value}";

    /// <summary>The keys of the scripts that decide about a membership (join.lua, leave.lua, member.lua), in their order.</summary>
    public static RedisKey[] OfMembership(ConversationKey room) =>
        [Epoch(room.Partition), Conversation(room), Members(room), Log(room.Partition), Rules(room)];

    /// <summary>hash with expiry: the members of a room that was deleted, until their indexes are cleaned.</summary>
    public static string FormerMembers(ConversationKey key) => $"{Tag(key.Partition)}:former:{key.Value}";

    /// <summary>string: there since the partition's rooms have owners, by adopt.lua or because it was filled with them.</summary>
    public static string Ruled(int partition) => $"{Tag(partition)}:ruled";

    /// <summary>
    /// set: the rooms that a user is a member of (an index over <see cref="Members"/>, for presence and for the bound on memberships).
    /// </summary>
    public static string UserRooms(string user) => $"u:{user}:rooms";

    /// <summary>
    /// sorted set with expiry, in the slot of <see cref="UserRooms"/>: room that the user is joining → until when (Unix milliseconds) the
    /// join counts although the index does not have it.
    /// </summary>
    public static string UserJoins(string user) => $"{{{UserRooms(user)}}}:joins";

    /// <summary>string with expiry, in the slot of <see cref="UserRooms"/>: how many rooms the user created in this period.</summary>
    public static string UserCreations(string user) => $"{{{UserRooms(user)}}}:created";

    /// <summary>string with expiry: how many direct conversations the user began in this period (spend.lua).</summary>
    public static string UserDirects(string user) => $"{{{UserRooms(user)}}}:directs";

    /// <summary>string with expiry: how many bytes the user wrote in this period, as far as nodes have reported them (spend.lua).</summary>
    public static string UserBytes(string user) => $"{{{UserRooms(user)}}}:bytes";

    /// <summary>
    /// hash: user → <c>moment profile</c> (profile.lua): all known users whose own conversation is in the partition, and how they are
    /// shown. <see cref="StoredProfiles"/> reads it. Filled from PostgreSQL when the partition opens.
    /// </summary>
    public static string Users(int partition) => $"{Tag(partition)}:users";

    /// <summary>
    /// sorted set: user → until when (Unix milliseconds) their tokens are revoked. Filled from PostgreSQL like <see cref="Users"/>.
    /// </summary>
    public static string Revoked(int partition) => $"{Tag(partition)}:revoked";

    /// <summary>string with expiry, in the slot of <see cref="UserRooms"/>: the user's changed profile was told a moment ago.</summary>
    public static string UserTold(string user) => $"{{{UserRooms(user)}}}:told";

    /// <summary>
    /// stream with the fields of <see cref="KickFields"/>: operators' last orders about users, to disconnect them or to revoke their tokens, and
    /// the last removals from rooms; its length is capped. <see cref="UserOrders"/> reads it. An order to disconnect is not durable: the operator repeats one that Redis
    /// loses within its second. Revocations stand in <see cref="Revoked"/> as well.
    /// </summary>
    public const string Kicks = "kicks";

    // Presence. All of it carries one hash tag, because a user's change and its effect on their rooms are one atomic step. None of it is
    // durable: it is rebuilt from the replicas' reports. All times are Unix milliseconds. A key with an empty name is the stem from which
    // the presence scripts build the others.

    /// <summary>
    /// set: the users online in a room (its members who have a connection anywhere, or lost the last one within the grace period). Written
    /// by PresenceService, read for <c>joined</c>.
    /// </summary>
    public static string RoomOnline(string room) => Presence + "room:" + room;

    /// <summary>
    /// sorted set: the users that the room was told are typing, scored by when it ends. Written by PresenceService, read for <c>joined</c>.
    /// For a direct conversation the name is <c>user/other</c>.
    /// </summary>
    public static string RoomTyping(string room) => Presence + "typing:" + room;

    /// <summary>
    /// set: users of a place (a name as in <see cref="RoomTyping"/>) whose typing may have changed since the place was last told.
    /// </summary>
    public static string PresenceTyped(string place) => Presence + "typed:" + place;

    /// <summary>
    /// hash: user → <c>+</c> or <c>-</c>, the last change that the room was not told yet; and <c>*+</c>, <c>*-</c>, <c>*#</c> (no
    /// <c>online</c>, <c>offline</c>, <c>presence</c> before), <c>*count</c> (the room is too large for names; the count it was last told),
    /// <c>*all</c> (tell every name). Expires a minute after the last telling.
    /// </summary>
    public static string PresenceDiff(string room) => Presence + "diff:" + room;

    /// <summary>hash: replica → connections of the user there; without a key the user is connected nowhere.</summary>
    public static string PresenceUser(string user) => Presence + "user:" + user;

    /// <summary>set: the rooms in whose <see cref="RoomOnline"/> the user is.</summary>
    public static string PresenceIn(string user) => Presence + "in:" + user;

    /// <summary>string with expiry: when the user's last connection closed.</summary>
    public static string PresenceSeen(string user) => Presence + "seen:" + user;

    /// <summary>
    /// hash: <c>instance</c> and <c>sequence</c> of the last report applied; the fence against late ones. Gone when the lease ends.
    /// </summary>
    public static string PresenceReplica(string replica) => Presence + "replica:" + replica;

    /// <summary>hash: user → connections, as the replica last reported. They end with its lease.</summary>
    public static string PresenceReplicaUsers(string replica) => Presence + "users:" + replica;

    /// <summary>hash: user who is online → profile, JSON, for the frames that name them.</summary>
    public const string PresenceProfiles = Presence + "profiles";

    /// <summary>set: the users that count as online.</summary>
    public const string PresenceOnline = Presence + "online";

    /// <summary>sorted set: replica → when its lease ends.</summary>
    public const string PresenceLeases = Presence + "leases";

    /// <summary>sorted set: user without a connection → when they go offline.</summary>
    public const string PresenceGrace = Presence + "grace";

    /// <summary>sorted set: user who came online and whose rooms (<see cref="UserRooms"/>) are still to be read → since when.</summary>
    public const string PresenceArrivals = Presence + "arrivals";

    /// <summary>sorted set: room that is to be told of changes → when.</summary>
    public const string PresenceDiffs = Presence + "diffs";

    /// <summary>sorted set: <c>r:room:user</c> or <c>d:user/other</c>, someone typing → when it ends.</summary>
    public const string PresenceTypists = Presence + "typists";

    /// <summary>sorted set: place that was told of typing → when it may be told again.</summary>
    public const string PresenceTellings = Presence + "tellings";

    /// <summary>
    /// hash: <c>born</c> (this state began), <c>sweep</c> (last look at the timers), <c>settle</c> (no room is told anything before),
    /// <c>forgiving</c> (the look at which everybody is being given the full time again; only until all have it).
    /// </summary>
    public const string PresenceWatch = Presence + "watch";

    /// <summary>string with expiry: somebody reads <see cref="PresenceChanges"/>. Without it nothing is written there.</summary>
    public const string PresenceWatched = Presence + "watched";

    /// <summary>
    /// stream with the fields of <see cref="PresenceChangeFields"/>: users who came online or went offline, the last 10,000 about. Expires a
    /// day after the last one.
    /// </summary>
    public const string PresenceChanges = Presence + "changes";

    private const string Presence = "{presence}:";

    /// <summary>SCAN pattern of all keys of all partitions.</summary>
    public const string AnyPartition = "{p[0-9][0-9]}:*";

    /// <summary>
    /// True for keys that are rebuilt from PostgreSQL when a partition opens and must not survive from before: conversations, tails,
    /// revisions, members, rules, nonces, users, revocations. False for log, dead letters, lease and marks.
    /// </summary>
    public static bool IsRebuilt(string key, out int partition)
    {
        partition = -1;
        return key.Length > 7 && key.StartsWith("{p", StringComparison.Ordinal) && key[4] == '}'
            && int.TryParse(key.AsSpan(2, 2), NumberStyles.None, CultureInfo.InvariantCulture, out partition)
            && (key.AsSpan(5) is [':', 'c' or 't' or 'x' or 'm' or 'g', ':', ..] || key.AsSpan(5).StartsWith(":nonces:")
                || key.AsSpan(5) is ":users" or ":revoked");
    }

    /// <summary>A nonce hash serves its own day and the next, and an hour for clocks that disagree.</summary>
    public const int NonceSeconds = 49 * 3600;

    /// <summary>The day whose <see cref="Nonces"/> hash an event accepted at this moment belongs to.</summary>
    public static long NonceDay(long unixMilliseconds) => unixMilliseconds / 86_400_000;

    internal static string Tag(int partition) => string.Create(CultureInfo.InvariantCulture, $"{{p{partition:00}}}");
}

/// <summary>The fields of <see cref="RedisKeys.Conversation"/>.</summary>
public static class ConversationFields
{
    /// <summary>The last seq.</summary>
    public const string Head = "head";

    /// <summary>The last seq committed in PostgreSQL.</summary>
    public const string Durable = "durable";

    /// <summary>
    /// <c>floor mark bytes</c>, two seqs and a number, by which append.lua bounds the tail in bytes: those above mark so far, and the seq
    /// down to which it is trimmed.
    /// </summary>
    public const string Span = "span";

    /// <summary>Only while dead letters hold events of the conversation: the lowest of their seqs. Durable stays below it.</summary>
    public const string Hold = "hold";

    /// <summary>What has to be checked in a room, and how often it was deleted (rules.lua); missing where there is nothing.</summary>
    public const string Rules = "rules";

    /// <summary>Of a room that was deleted: its head then. Nothing up to it is read any more.</summary>
    public const string Floor = "floor";
}

/// <summary>The field of an entry of <see cref="RedisKeys.Tail"/>.</summary>
public static class TailFields
{
    /// <summary>The event's record, JSON (<see cref="LogRecordCodec"/>).</summary>
    public const string Record = "e";
}

/// <summary>The fields of an entry of <see cref="RedisKeys.Kicks"/>.</summary>
public static class KickFields
{
    public const string User = "user";

    /// <summary>Tokens issued until this moment (Unix milliseconds) are revoked. Without it, the order only disconnects.</summary>
    public const string Until = "until";

    /// <summary>The user left or was removed from this room; all users, where there is no <see cref="User"/>. Missing: disconnect.</summary>
    public const string Room = "room";

    /// <summary>The moment of the removal, microseconds of the clock of the room's log.</summary>
    public const string At = "at";

    /// <summary>The <c>reason</c> of <c>left</c>.</summary>
    public const string Reason = "reason";
}

/// <summary>The fields of an entry of <see cref="RedisKeys.PresenceChanges"/>.</summary>
public static class PresenceChangeFields
{
    public const string User = "user";

    /// <summary><c>1</c>: the user came online; <c>0</c>: went offline.</summary>
    public const string Online = "online";
}
