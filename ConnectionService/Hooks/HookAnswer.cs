using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AspireChat.ConnectionService.Hooks;

/// <summary>What the product's server said about an event.</summary>
/// <param name="Reason">For the sender, when the event is not allowed.</param>
/// <param name="Content">Replaces the event's; null leaves it.</param>
/// <param name="Meta">Replaces the event's, a JSON object on one line; null leaves it.</param>
internal sealed record HookAnswer(bool Allow, string Reason, string? Content, string? Meta = null)
{
    private const string NoReason = "not allowed";

    /// <summary>Longest meta, in bytes of UTF-8: as of a client.</summary>
    private const int LongestMeta = 4_096;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Longest reason, in UTF-16 code units. The rest of a longer one is cut off.</summary>
    private const int LongestReason = 500;

    /// <summary>
    /// Reads <c>{"allow","reason"?,"content"?,"meta"?}</c>. Null when the bytes are no such answer, or when content or meta is none that a client
    /// may send: empty, too long, with NUL or a lone surrogate, no object.
    /// </summary>
    /// <param name="longestContent">In UTF-16 code units.</param>
    public static HookAnswer? Read(ReadOnlyMemory<byte> body, int longestContent)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("allow", out var allow)
                || allow.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            {
                return null;
            }

            if (!allow.GetBoolean())
            {
                var reason = Text(root, "reason") is { Length: > 0 } given ? given : NoReason;
                return new HookAnswer(false, reason.Length <= LongestReason ? reason : Cut(reason), null);
            }

            var (content, meta) = (Text(root, "content"), Object(root, "meta"));
            return content is "" || content?.Length > longestContent || content?.Contains('\0') == true
                || (meta is not null && Encoding.UTF8.GetByteCount(meta) > LongestMeta)
                ? null
                : new HookAnswer(true, "", content, meta);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // GetString throws the second for a lone surrogate.
            return null;
        }
    }

    /// <summary>An object on one line, as the log's records need it.</summary>
    private static string? Object(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Object ? JsonSerializer.Serialize(value, Plain)
        : throw new JsonException();

    private static string Cut(string reason) => reason[..(char.IsHighSurrogate(reason[LongestReason - 1]) ? LongestReason - 1 : LongestReason)];

    private static string? Text(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw new JsonException();
}
