namespace AspireChat.Client;

/// <summary>A conversation at one moment. Immutable. Messages that did not change are the same objects as in the snapshot before.</summary>
public sealed record ConversationSnapshot
{
    /// <summary>The loaded messages in the order of seq: all from the oldest loaded one to <see cref="Head"/>.</summary>
    public IReadOnlyList<ChatMessage> Messages { get; init; } = [];

    /// <summary>
    /// The user's messages that are not among <see cref="Messages"/> yet, in the order of the sends: to be shown below them. A message is in
    /// one of both.
    /// </summary>
    public IReadOnlyList<PendingMessage> Pending { get; init; } = [];

    /// <summary>Whether the oldest message is loaded.</summary>
    public bool AtStart { get; init; }

    /// <summary>Seq of the newest event that the view has; 0 while it is not known.</summary>
    public long Head { get; init; }

    /// <summary>The epoch of the log; null until the server has named it.</summary>
    public string? Epoch { get; init; }

    /// <summary>The user's own read cursor; 0 while it is not known.</summary>
    public long Read { get; init; }

    /// <summary>Others' messages above the read cursor.</summary>
    public long Unread { get; init; }

    /// <summary>How many of them mention the user.</summary>
    public long UnreadMentions { get; init; }

    /// <summary>False while <see cref="Unread"/> is a guess, because the server is being asked.</summary>
    public bool IsUnreadExact { get; init; }

    /// <summary>Others' read cursors, as far as they were told.</summary>
    public IReadOnlyDictionary<string, long> ReadCursors { get; init; } = new Dictionary<string, long>();

    /// <summary>All events up to this seq are known to be in the database.</summary>
    public long DurableUpTo { get; init; }

    /// <summary>A room's members that are online, as far as the server named them: none in rooms with more than 200 online.</summary>
    public IReadOnlyCollection<string> Online { get; init; } = [];

    /// <summary>How many of a room's members are online.</summary>
    public long OnlineCount { get; init; }

    /// <summary>The other users who are typing.</summary>
    public IReadOnlyCollection<string> Typing { get; init; } = [];

    /// <summary>The room's latest snapshot from the server, with the user's role; null before the room was joined and after it was left.</summary>
    public RoomJoined? Room { get; init; }

    /// <summary>The users other than the client's own who are known to have read up to <paramref name="seq"/>.</summary>
    public IEnumerable<string> ReadBy(long seq) => ReadCursors.Where(cursor => cursor.Value >= seq).Select(cursor => cursor.Key);
}
