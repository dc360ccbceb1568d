namespace AspireChat.Contracts.Conversations;

/// <summary>
/// The key of a conversation: a room (<c>r:lobby</c>) or the direct conversation of two users (<c>d:alice:bob</c>). The ordinally smaller
/// user stands first, so that both sides get the same key. Redis and PostgreSQL store this text. It is unambiguous, because identifiers
/// cannot contain <c>:</c>. A user may have a direct conversation with themselves. Immutable.
/// </summary>
public readonly record struct ConversationKey
{
    private ConversationKey(string value) => Value = value;

    /// <summary>The stored form.</summary>
    public string Value { get; }

    public bool IsRoom => Value.StartsWith("r:", StringComparison.Ordinal);

    /// <summary>The room's id. Use it only for rooms.</summary>
    public string RoomId => IsRoom ? Value[2..] : throw new InvalidOperationException($"'{Value}' is not a room.");

    /// <summary>The partition of the log that holds this conversation.</summary>
    public int Partition => LogPartitions.Of(Value);

    /// <param name="room">An identifier that the caller has checked (<see cref="Identifiers.IsValid"/>).</param>
    public static ConversationKey Room(string room) => new("r:" + room);

    /// <summary>The same key for either order of the users. The caller has checked that both are valid identifiers.</summary>
    public static ConversationKey Direct(string user, string other) =>
        string.CompareOrdinal(user, other) <= 0 ? new($"d:{user}:{other}") : new($"d:{other}:{user}");

    /// <summary>Reads the stored form. False for any text that neither factory could have made.</summary>
    public static bool TryParse(string value, out ConversationKey key)
    {
        key = new ConversationKey(value);
        if (key.IsRoom)
        {
            return Identifiers.IsValid(value.AsSpan(2));
        }

        if (!value.StartsWith("d:", StringComparison.Ordinal))
        {
            return false;
        }

        var (a, b) = key.Users;
        return Identifiers.IsValid(a) && Identifiers.IsValid(b) && string.CompareOrdinal(a, b) <= 0;
    }

    /// <summary>Both users, the ordinally smaller first. Use it only for direct conversations.</summary>
    public (string First, string Second) Users
    {
        get
        {
            var colon = IsRoom ? -1 : Value.IndexOf(':', 2);
            if (colon < 0)
            {
                return ("", "");
            }

            return (Value[2..colon], Value[(colon + 1)..]);
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
