using System.Globalization;
using AspireChat.Contracts.Conversations;

namespace AspireChat.Contracts.Redis;

/// <summary>
/// Every Redis key of the project, with its type and lifetime. No other file spells one. Keys of a partition carry it as hash tag
/// (<c>{p07}:…</c>), so that all keys of one script call live in one Redis Cluster slot. Channels are in <see cref="RedisChannels"/>.
/// </summary>
public static class RedisKeys
{
    /// <summary>Consumer group of the partition log that writes PostgreSQL.</summary>
    public const string PersistGroup = "persist";

    /// <summary>
    /// string: the partition's epoch. Its presence is the partition's opening sign: without it nothing can be appended (Redis is new or
    /// was emptied) until PersistenceService has seeded heads, members and read cursors from PostgreSQL and set a new one.
    /// </summary>
    public static string Epoch(int partition) => $"{Tag(partition)}:epoch";

    /// <summary>stream: everything durable of the partition in the order of acceptance; fields in <see cref="LogFields"/>. Trimmed only up to what is committed.</summary>
    public static string Log(int partition) => $"{Tag(partition)}:log";

    /// <summary>stream: log entries that PostgreSQL refused for their data; never trimmed by itself.</summary>
    public static string DeadLetters(int partition) => $"{Tag(partition)}:dead";

    /// <summary>string with expiry: the PersistenceService replica that owns the partition now.</summary>
    public static string Owner(int partition) => $"{Tag(partition)}:owner";

    /// <summary>
    /// hash: first 16 bytes of SHA-256(conversation, sender, nonce) → first ack. One hash a day, kept until the day after has ended: a
    /// nonce is remembered for at least 24 h at half the memory of a key with an expiry each.
    /// </summary>
    public static string Nonces(int partition, long day) => $"{Tag(partition)}:nonces:{day.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>hash: <c>head</c> (last seq) and <c>durable</c> (last seq committed in PostgreSQL).</summary>
    public static string Conversation(ConversationKey key) => $"{Tag(key.Partition)}:c:{key.Value}";

    /// <summary>stream with entry id <c>seq-0</c> and one field <c>e</c>, the event's record: the recent events, and all that are not committed yet.</summary>
    public static string Tail(ConversationKey key) => $"{Tag(key.Partition)}:t:{key.Value}";

    /// <summary>hash: user → read cursor (seq). The fields of a room's hash are its members.</summary>
    public static string Members(ConversationKey key) => $"{Tag(key.Partition)}:m:{key.Value}";

    /// <summary>set: the rooms that a user is a member of (an index over <see cref="Members"/>, for presence).</summary>
    public static string UserRooms(string user) => $"u:{user}:rooms";

    /// <summary>set: the users online in a room (its members who have a connection anywhere). Written by PresenceService, read for <c>joined</c>.</summary>
    public static string RoomOnline(string room) => $"presence:room:{room}";

    /// <summary>sorted set: who is typing in a room, scored by the Unix milliseconds when it ends. Written by PresenceService, read for <c>joined</c>.</summary>
    public static string RoomTyping(string room) => $"presence:typing:{room}";

    internal static string Tag(int partition) => string.Create(CultureInfo.InvariantCulture, $"{{p{partition:00}}}");
}

/// <summary>The fields of an entry of the partition log (<see cref="RedisKeys.Log"/>).</summary>
public static class LogFields
{
    /// <summary>The conversation's stored key (<see cref="ConversationKey.Value"/>).</summary>
    public const string Conversation = "c";

    /// <summary>The event's seq; 0 for entries that use none up (membership, read cursors).</summary>
    public const string Seq = "s";

    /// <summary>The epoch in which the entry was accepted.</summary>
    public const string Epoch = "p";

    /// <summary>The record, JSON: see <c>Log/LogRecord.cs</c>.</summary>
    public const string Record = "e";
}
