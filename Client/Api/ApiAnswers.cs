using System.Text.Json;
using AspireChat.Client.Wire;

namespace AspireChat.Client.Api;

/// <summary>Answers of the HTTP API in the application's types. Words that this version does not know do no harm. Thread-safe.</summary>
internal static class ApiAnswers
{
    public static RoomInfo ToRoom(WireRoom room) => new()
    {
        Room = room.Room,
        Name = room.Name,
        Topic = room.Topic,
        // Anything but the word for everybody is closed.
        Visibility = room.Visibility is null or "public" ? RoomVisibility.Public : RoomVisibility.Private,
        Sending = room.Sending is null or "members" ? RoomSending.Members : RoomSending.Moderators,
        Meta = room.Meta?.GetRawText(),
        RetentionDays = room.RetentionDays,
        Created = ServerFrameReader.ToTime(room.Created),
        Members = room.Members,
        Head = room.Head,
        Joined = room.Joined,
        Role = room.Role is null ? null : ToRole(room.Role),
    };

    public static RoomRole ToRole(string? role) => role switch
    {
        "owner" => RoomRole.Owner,
        "moderator" => RoomRole.Moderator,
        _ => RoomRole.Member,
    };

    /// <summary>The word of a role; null: none is named.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no role.</exception>
    public static string? NameOf(RoomRole? role) => role switch
    {
        null => null,
        RoomRole.Member => "member",
        RoomRole.Moderator => "moderator",
        RoomRole.Owner => "owner",
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };

    public static DateTimeOffset Time(string text) =>
        ServerFrameReader.ToTime(text) ?? throw new JsonException($"'{text}' is no time");

    public static ChatUser ToUser(WireUser user) => new(user.User, user.Name, user.Picture);

    public static UserPresence ToPresence(WirePresence presence) =>
        new(presence.User, presence.Online, ServerFrameReader.ToTime(presence.LastSeen));

    public static IReadOnlyDictionary<string, ChatProfile> ToProfiles(IReadOnlyDictionary<string, WireProfile>? profiles) =>
        (profiles ?? new Dictionary<string, WireProfile>()).ToDictionary(
            entry => entry.Key, entry => new ChatProfile(entry.Value.Name, entry.Value.Picture), StringComparer.Ordinal);

    public static SendReceipt ToAccepted(WireAck ack, Conversation conversation) =>
        new(conversation, ack.Nonce, ack.Id, ack.Seq, ack.Epoch, Time(ack.Timestamp), ack.Duplicate ?? false);
}
