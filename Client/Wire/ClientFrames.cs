using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AspireChat.Client.Wire;

/// <summary>
/// The frames that a client sends, as UTF-8. The caller checks texts (<see cref="CheckText"/>) and identifiers. Thread-safe.
/// </summary>
internal static class ClientFrames
{
    private static readonly JsonWriterOptions Options =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static byte[] Join(string room, ConversationCursor? since, string reference) => Write("join", json =>
    {
        json.WriteString("room"u8, room);
        if (since is { } cursor)
        {
            WriteCursor(json, cursor);
        }

        json.WriteString("ref"u8, reference);
    });

    public static byte[] Leave(string room, string reference) => Write("leave", json =>
    {
        json.WriteString("room"u8, room);
        json.WriteString("ref"u8, reference);
    });

    public static byte[] Resume(IEnumerable<(Conversation Conversation, ConversationCursor Since)> places, string reference) => Write(
        "resume", json =>
    {
        json.WriteString("ref"u8, reference);
        json.WriteStartArray("conversations"u8);
        foreach (var (conversation, since) in places)
        {
            json.WriteStartObject();
            WritePlace(json, conversation);
            WriteCursor(json, since);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    public static byte[] Message(Conversation conversation, string content, string nonce, ChatMessageOptions? options = null) =>
        Event(conversation.IsRoom ? "room" : "dm", conversation, nonce, json =>
        {
            json.WriteString("content"u8, content);
            WriteOptions(json, options);
        });

    public static byte[] Edit(Conversation conversation, long target, string content, string nonce, ChatMessageOptions? options = null) =>
        Event("edit", conversation, nonce, json =>
        {
            json.WriteNumber("target"u8, target);
            json.WriteString("content"u8, content);
            WriteOptions(json, options);
        });

    public static byte[] Signal(Conversation conversation, string name, string? data) => Write("signal", json =>
    {
        WritePlace(json, conversation);
        json.WriteString("name"u8, name);
        WriteJson(json, "data", data);
    });

    public static byte[] Delete(Conversation conversation, long target, string nonce) =>
        Event("delete", conversation, nonce, json => json.WriteNumber("target"u8, target));

    public static byte[] React(Conversation conversation, long target, string emoji, bool remove, string nonce) =>
        Event("react", conversation, nonce, json =>
        {
            json.WriteNumber("target"u8, target);
            json.WriteString("emoji"u8, emoji);
            if (remove)
            {
                json.WriteBoolean("remove"u8, true);
            }
        });

    public static byte[] Typing(Conversation conversation, bool active) => Write("typing", json =>
    {
        WritePlace(json, conversation);
        json.WriteBoolean("active"u8, active);
    });

    public static byte[] Read(Conversation conversation, long seq) => Write("read", json =>
    {
        WritePlace(json, conversation);
        json.WriteNumber("seq"u8, seq);
    });

    public static byte[] Auth(string token) => Write("auth", json => json.WriteString("token"u8, token));

    public static byte[] Ping(string reference) => Write("ping", json => json.WriteString("ref"u8, reference));

    /// <summary>Refuses a text that the server would refuse for good, so that it is never queued.</summary>
    /// <exception cref="ArgumentException">The text is empty, too long, or has a NUL or a lone surrogate.</exception>
    public static string CheckText(string text, int limit, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(text, parameter);
        if (text.Length > limit)
        {
            throw new ArgumentException($"The text is longer than {limit} UTF-16 code units.", parameter);
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (text[i] == '\0' || char.IsSurrogate(text[i]))
            {
                throw new ArgumentException("The text contains a NUL or a lone surrogate.", parameter);
            }
        }
        return text;
    }

    private static byte[] Event(string type, Conversation conversation, string nonce, Action<Utf8JsonWriter> body) => Write(type, json =>
    {
        WritePlace(json, conversation);
        json.WriteString("nonce"u8, nonce);
        body(json);
    });

    private static void WritePlace(Utf8JsonWriter json, Conversation conversation)
    {
        if (conversation.IsRoom)
        {
            json.WriteString("room"u8, conversation.RoomId);
        }
        else
        {
            json.WriteString("to"u8, conversation.User);
        }
    }

    private static void WriteOptions(Utf8JsonWriter json, ChatMessageOptions? options)
    {
        if (options?.ReplyTo is { } replyTo)
        {
            json.WriteNumber("replyTo"u8, replyTo);
        }

        if (options?.Mentions is { } mentions)
        {
            json.WriteStartArray("mentions"u8);
            foreach (var user in mentions)
            {
                json.WriteStringValue(user);
            }

            json.WriteEndArray();
        }
        WriteJson(json, "meta", options?.Meta);
    }

    /// <exception cref="JsonException">The text is no JSON.</exception>
    private static void WriteJson(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(value);
        }
    }

    private static void WriteCursor(Utf8JsonWriter json, ConversationCursor cursor)
    {
        json.WriteNumber("since"u8, cursor.Seq);
        if (cursor.Epoch is not null)
        {
            json.WriteString("epoch"u8, cursor.Epoch);
        }
    }

    private static byte[] Write(string type, Action<Utf8JsonWriter> body)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, type);
            body(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
