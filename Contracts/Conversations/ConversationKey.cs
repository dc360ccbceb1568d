namespace AspireChat.Contracts.Conversations;

/// <summary>
/// The key of a conversation: a room (<c>r:lobby</c>) or the direct conversation of two users (<c>d:alice:bob</c>). The ordinally smaller
/// user stands first, so that both sides get the same key. Redis and PostgreSQL store this text. Where one of the users' ids contains a
/// <c>:</c>, a <c>/</c> separates them (<c>d:alice/urn:x:y</c>), which no id contains. Without one the separator is the only <c>:</c>, as it
/// was when ids could not contain it: stored keys and their partitions stay as they are. A user may have a direct conversation with
/// themselves. Immutable.
/// </summary>
public readonly record struct ConversationKey
{
    private const char Separator = ':';
    private const char WideSeparator = '/';

    private ConversationKey(string value) => Value = value;

    /// <summary>The stored form.</summary>
    public string Value { get; }

    public bool IsRoom => Value.StartsWith("r:", StringComparison.Ordinal);

    /// <summary>The room's id. Use it only for rooms.</summary>
    public string RoomId => IsRoom ? Value[2..] : throw new InvalidOperationException($"'{Value}' is not a room.");

    /// <summary>The partition of the log that holds this conversation.</summary>
    public int Partition => LogPartitions.Of(Value);

    /// <param name="room">An id that the caller has checked (<see cref="RoomIds.IsValid"/>).</param>
    public static ConversationKey Room(string room) => new("r:" + room);

    /// <summary>The same key for either order of the users. The caller has checked both ids (<see cref="UserIds.IsSender"/>).</summary>
    public static ConversationKey Direct(string user, string other)
    {
        var separator = user.Contains(Separator) || other.Contains(Separator) ? WideSeparator : Separator;
        return string.CompareOrdinal(user, other) <= 0 ? new($"d:{user}{separator}{other}") : new($"d:{other}{separator}{user}");
    }

    /// <summary>
    /// The user's conversation with themselves. The log keeps what it has to say of a user as such, a profile or a revocation, under this key:
    /// it decides the partition.
    /// </summary>
    public static ConversationKey Own(string user) => Direct(user, user);

    /// <summary>Reads the stored form. False for any text that neither factory could have made.</summary>
    public static bool TryParse(string value, out ConversationKey key)
    {
        key = new ConversationKey(value);
        if (key.IsRoom)
        {
            return RoomIds.IsValid(value.AsSpan(2));
        }

        if (!value.StartsWith("d:", StringComparison.Ordinal))
        {
            return false;
        }

        var (a, b) = key.Users;
        return UserIds.IsSender(a) && UserIds.IsSender(b) && Direct(a, b).Value == value;
    }

    /// <summary>Both users, the ordinally smaller first. Use it only for direct conversations.</summary>
    public (string First, string Second) Users
    {
        get
        {
            if (IsRoom)
            {
                return ("", "");
            }

            var wide = Value.IndexOf(WideSeparator);
            var at = wide < 0 ? Value.IndexOf(Separator, 2) : wide;
            return at < 0 ? ("", "") : (Value[2..at], Value[(at + 1)..]);
        }
    }

    /// <summary>The other user, seen from <paramref name="user"/>. Use it only for direct conversations.</summary>
    public string Other(string user)
    {
        var (first, second) = Users;
        return first == user ? second : first;
    }

    /// <summary>True when <paramref name="user"/> is one of the two users of a direct conversation.</summary>
    public bool HasUser(string user)
    {
        var (first, second) = Users;
        return !IsRoom && (first == user || second == user);
    }

    public override string ToString() => Value;
}
