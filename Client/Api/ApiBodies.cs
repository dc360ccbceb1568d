using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AspireChat.Contracts;

namespace AspireChat.Client.Api;

/// <summary>Bodies of calls. Thread-safe: pure functions.</summary>
internal static class ApiBodies
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Of<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    /// <summary>A user's id in a body.</summary>
    /// <exception cref="ArgumentException">It is no id of a user.</exception>
    public static string User(string user) => UserIds.IsValid(user)
        ? user
        : throw new ArgumentException($"The id must be {UserIds.Rule}.", nameof(user));

    /// <summary>The settings that are named, and <c>null</c> for those that are taken away.</summary>
    /// <param name="room">The id of a room to create; null: the address has it, or the server makes one.</param>
    /// <param name="members">Of a room to create; null: none.</param>
    /// <exception cref="ArgumentException">Meta is no JSON object.</exception>
    public static byte[] Settings(RoomSettings settings, string? room = null, IReadOnlyCollection<string>? members = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            if (room is not null)
            {
                json.WriteString("room"u8, ApiPath.Room(room));
            }

            Text(json, "name", settings.Name);
            Text(json, "topic", settings.Topic);
            if (settings.Visibility is { } visibility)
            {
                json.WriteString("visibility"u8, visibility == RoomVisibility.Private ? "private"u8 : "public"u8);
            }

            if (settings.Sending is { } sending)
            {
                json.WriteString("sending"u8, sending == RoomSending.Moderators ? "moderators"u8 : "members"u8);
            }

            if (settings.Meta is "")
            {
                json.WriteNull("meta"u8);
            }
            else if (Meta(settings.Meta) is { } meta)
            {
                json.WritePropertyName("meta"u8);
                meta.WriteTo(json);
            }

            Days(json, settings.RetentionDays);
            if (members is not null)
            {
                json.WriteStartArray("members"u8);
                foreach (var user in members)
                {
                    json.WriteStringValue(User(user));
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Restriction(DateTimeOffset? until, string? reason) =>
        Of(new WireRestriction(until is { } end ? Timestamps.ToText(end) : null, reason), ApiJson.Default.WireRestriction);

    /// <summary>A JSON object of the product's own; null: none.</summary>
    /// <exception cref="ArgumentException">It is no JSON object.</exception>
    public static JsonElement? Meta(string? meta)
    {
        if (meta is null)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(meta);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document.RootElement.Clone();
            }
        }
        catch (JsonException e)
        {
            throw new ArgumentException("Meta must be a JSON object.", nameof(meta), e);
        }

        throw new ArgumentException("Meta must be a JSON object.", nameof(meta));
    }

    private static void Text(Utf8JsonWriter json, string field, string? text)
    {
        if (text is "")
        {
            json.WriteNull(field);
        }
        else if (text is not null)
        {
            json.WriteString(field, text);
        }
    }

    private static void Days(Utf8JsonWriter json, int? days)
    {
        if (days is 0)
        {
            json.WriteNull("retentionDays"u8);
        }
        else if (days is { } some)
        {
            json.WriteNumber("retentionDays"u8, some);
        }
    }
}
