using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts;
using AspireChat.Contracts.Rooms;

namespace AspireChat.ConnectionService.Rooms;

/// <summary>A body of a call about rooms, in which a field may be missing, null or wrong. Unknown fields are ignored. Not thread-safe.</summary>
internal sealed class RoomBody(JsonElement root)
{
    public const int MostBytes = 32 * 1_024;
    public const int MostMembers = 100;

    private const int LongestName = 100;
    private const int LongestTopic = 1_000;
    private const int LongestMeta = 4 * 1_024;
    private const int LongestReason = 500;
    private const int MostDays = 36_500;

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The first thing that is wrong, for the caller; null while all was right.</summary>
    public string? Problem { get; private set; }

    /// <summary>An empty body counts as one without fields.</summary>
    public static async Task<RoomBody> ReadAsync(HttpContext context)
    {
        try
        {
            using var buffer = new MemoryStream();
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
            if (buffer.Length == 0)
            {
                return new RoomBody(JsonDocument.Parse("{}").RootElement);
            }

            using var document = JsonDocument.Parse(buffer.ToArray());
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new RoomBody(document.RootElement.Clone())
                : Wrong();
        }
        catch (JsonException)
        {
            return Wrong();
        }

        static RoomBody Wrong() => new(default) { Problem = "the body is not one JSON object" };
    }

    /// <summary>The settings that the body names, as room.lua reads them.</summary>
    /// <param name="byServer">What only the server sets counts too.</param>
    public RoomFields Fields(bool byServer) => new(
        Word("visibility", "public", "private") is { } visibility ? visibility == "private" ? RoomVisibility.Private : RoomVisibility.Public : null,
        Word("sending", "members", "moderators") is { } sending ? sending == "moderators" ? RoomSending.Moderators : RoomSending.Members : null,
        Text("name", LongestName, out var name) ? Json(name) : null,
        Text("topic", LongestTopic, out var topic) ? Json(topic) : null,
        Meta(),
        byServer ? Days() : null);

    /// <summary>None: it is not named.</summary>
    public RoomRole Role() =>
        Word("role", "member", "moderator", "owner") is { } name && RoomRoles.TryParse(name, out var role) ? role : RoomRole.None;

    public string? RoomId()
    {
        if (!Text("room", RoomIds.MaxLength, out var room) || room is null)
        {
            return null;
        }

        if (!RoomIds.IsValid(room))
        {
            Fail($"room must be {RoomIds.Rule}");
        }

        return room;
    }

    /// <summary>Users, at most <see cref="MostMembers"/>, each once; null: they are not named.</summary>
    public IReadOnlyList<string>? Members()
    {
        if (!TryGet("members", out var list))
        {
            return null;
        }

        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MostMembers)
        {
            Fail($"members must be a list of at most {MostMembers} user ids");
            return null;
        }

        var users = new List<string>();
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String || TextOf(item) is not { } user || !UserIds.IsValid(user))
            {
                Fail($"members: each must be {UserIds.Rule}");
                return null;
            }

            users.Add(user);
        }

        return [.. users.Distinct(StringComparer.Ordinal)];
    }

    /// <summary>When a restriction ends, Unix milliseconds; 0: it does not.</summary>
    public long Until(DateTimeOffset now)
    {
        if (!TryGet("until", out var value))
        {
            return 0;
        }

        if (value.ValueKind != JsonValueKind.String
            || !DateTimeOffset.TryParse(TextOf(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until))
        {
            Fail("until must be a time of RFC 3339");
            return 0;
        }

        if (until <= now)
        {
            Fail("until must lie in the future");
        }

        return until.ToUnixTimeMilliseconds();
    }

    /// <summary>JSON text; empty: none is given.</summary>
    public string Reason() => Text("reason", LongestReason, out var reason) && reason is not null ? Json(reason) : "";

    /// <summary>A text that is given, and is no longer than so many characters. False: it is missing.</summary>
    public bool Text(string field, int longest, out string? text)
    {
        text = null;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(field, out var value))
        {
            return false;
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return true;
        }

        text = value.ValueKind == JsonValueKind.String ? TextOf(value) : null;
        if (text is null or "" || text.Length > longest || text.Contains('\0', StringComparison.Ordinal))
        {
            Fail($"{field} must be a text of 1 to {longest} characters");
        }

        return true;
    }

    private string? Word(string field, params ReadOnlySpan<string> words)
    {
        if (!TryGet(field, out var value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String && TextOf(value) is { } word && words.Contains(word))
        {
            return word;
        }

        Fail($"{field} must be {string.Join(" or ", words.ToArray())}");
        return null;
    }

    private string? Meta()
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("meta", out var value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return RoomFields.None;
        }

        if (value.ValueKind == JsonValueKind.Object && TryCompact(value, out var text) && Encoding.UTF8.GetByteCount(text) <= LongestMeta)
        {
            return text;
        }

        Fail($"meta must be a JSON object of at most {LongestMeta} bytes");
        return null;
    }

    private string? Days()
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("retentionDays", out var value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return RoomFields.None;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var days) && days is >= 1 and <= MostDays)
        {
            return days.ToString(CultureInfo.InvariantCulture);
        }

        Fail($"retentionDays must be a whole number from 1 to {MostDays}");
        return null;
    }

    private bool TryGet(string field, out JsonElement value)
    {
        value = default;
        return root.ValueKind == JsonValueKind.Object && root.TryGetProperty(field, out value) && value.ValueKind != JsonValueKind.Null;
    }

    /// <summary>Null for a lone surrogate, which is found only when the text is read.</summary>
    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The object in one line: records stand behind one another with line feeds between them.</summary>
    private static bool TryCompact(JsonElement value, [NotNullWhen(true)] out string? text)
    {
        text = null;
        try
        {
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer, Compact))
            {
                value.WriteTo(json);
            }

            text = Encoding.UTF8.GetString(buffer.WrittenSpan);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }

    private static string Json(string? text) =>
        text is null ? RoomFields.None : $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";

    private void Fail(string problem) => Problem ??= problem;
}
