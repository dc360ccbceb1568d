namespace AspireChat.PersistenceService.Outbox;

/// <summary>What a webhook can be told. The number is stored and never changes.</summary>
internal enum WebhookKind
{
    MessageCreated = 0,
    MessageEdited = 1,
    MessageDeleted = 2,
    ReactionChanged = 3,
    MemberChanged = 4,
    RoomChanged = 5,
    UserOnline = 6,
    UserOffline = 7,
    MessageUnseen = 8,
}

internal static class WebhookKinds
{
    /// <summary>The names on the wire and in the configuration, by kind.</summary>
    private static readonly string[] Names =
    [
        "message.created", "message.edited", "message.deleted", "reaction.changed", "member.changed", "room.changed", "user.online",
        "user.offline", "message.unseen",
    ];

    public static IReadOnlyList<string> All => Names;

    public static string NameOf(WebhookKind kind) => Names[(int)kind];

    public static WebhookKind? Find(string name) => Array.IndexOf(Names, name) is var at and >= 0 ? (WebhookKind)at : null;
}
