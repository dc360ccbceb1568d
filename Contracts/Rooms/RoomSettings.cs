using System.Text.Json;

namespace AspireChat.Contracts.Rooms;

/// <summary>
/// What a room is besides its log and its members. Scripts answer it as a JSON object, and the log's records carry that (rules.lua).
/// Immutable.
/// </summary>
/// <param name="Meta">A JSON object, as its text.</param>
/// <param name="RetentionDays">Null: what the system's setting says.</param>
/// <param name="Created">Unix milliseconds; 0: not known.</param>
public sealed record RoomSettings(
    RoomVisibility Visibility = RoomVisibility.Public,
    RoomSending Sending = RoomSending.Members,
    string? Name = null,
    string? Topic = null,
    string? Meta = null,
    int? RetentionDays = null,
    long Created = 0)
{
    /// <summary>A room that nobody ever changed.</summary>
    public static RoomSettings Plain { get; } = new();

    public static string NameOf(RoomVisibility visibility) => visibility == RoomVisibility.Private ? "private" : "public";

    public static string NameOf(RoomSending sending) => sending == RoomSending.Moderators ? "moderators" : "members";

    /// <summary>Reads the stored object. Fields that are missing or of another kind are as in <see cref="Plain"/>; unknown ones are ignored.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static RoomSettings Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return new RoomSettings(
            // Anything but the word for everybody is kept closed.
            Text(root, "visibility") is null or "public" ? RoomVisibility.Public : RoomVisibility.Private,
            Text(root, "sending") is null or "members" ? RoomSending.Members : RoomSending.Moderators,
            Text(root, "name"),
            Text(root, "topic"),
            root.TryGetProperty("meta", out var meta) && meta.ValueKind == JsonValueKind.Object ? meta.GetRawText() : null,
            root.TryGetProperty("retentionDays", out var days) && days.ValueKind == JsonValueKind.Number ? days.GetInt32() : null,
            root.TryGetProperty("created", out var created) && created.ValueKind == JsonValueKind.Number ? created.GetInt64() : 0);
    }

    /// <summary>Writes the fields that clients see, into an open object: absent ones are left out.</summary>
    public void Write(Utf8JsonWriter json)
    {
        if (Name is not null)
        {
            json.WriteString("name"u8, Name);
        }

        if (Topic is not null)
        {
            json.WriteString("topic"u8, Topic);
        }

        json.WriteString("visibility"u8, NameOf(Visibility));
        json.WriteString("sending"u8, NameOf(Sending));
        if (Meta is not null)
        {
            json.WritePropertyName("meta"u8);
            json.WriteRawValue(Meta, skipInputValidation: true);
        }

        if (RetentionDays is { } days)
        {
            json.WriteNumber("retentionDays"u8, days);
        }

        if (Created > 0)
        {
            json.WriteString("created"u8, Timestamps.ToText(Created));
        }
    }

    private static string? Text(JsonElement root, string field) =>
        root.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
