namespace AspireChat.Contracts.Conversations;

/// <summary>
/// Names a conversation: a room (<c>r:lobby</c>) or the direct conversation of two users (<c>d:alice:bob</c>, the ordinally smaller
/// user first, so that both sides get the same key). This text is the key's form in Redis and PostgreSQL; identifiers cannot contain
/// <c>:</c>, so it is unambiguous. A user may hold a direct conversation with themselves. Immutable.
/// </summary>
public readonly record struct ConversationKey
{
    private ConversationKey(string value) => Value = value;

    /// <summary>The stored form.</summary>
    public string Value { get; }

    public bool IsRoom => Value.StartsWith("r:", StringComparison.Ordinal);

    /// <summary>The room's id. Only for rooms.</summary>
    public string RoomId => IsRoom ? Value[2..] : throw new InvalidOperationException($"'{Value}' is not a room.");

    /// <summary>The partition of the log that holds this conversation.</summary>
    public int Partition => LogPartitions.Of(Value);

    /// <param name="room">A valid identifier (<see cref="Identifiers.IsValid"/>); the caller has checked it.</param>
    public static ConversationKey Room(string room) => new("r:" + room);

    /// <summary>The same key whichever side asks. Both must be valid identifiers; the caller has checked them.</summary>
    public static ConversationKey Direct(string user, string other) =>
        string.CompareOrdinal(user, other) <= 0 ? new($"d:{user}:{other}") : new($"d:{other}:{user}");

    /// <summary>Reads the stored form; false for anything that neither factory could have made.</summary>
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

    /// <summary>Both users of a direct conversation, the ordinally smaller first. Only for direct conversations.</summary>
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

    /// <summary>The other user of a direct conversation, seen from <paramref name="user"/>. Only for direct conversations.</summary>
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
