using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using AspireChat.Contracts.Log;

namespace AspireChat.Contracts.Frames;

/// <summary>
/// An event as clients see it, live, on replay and in history: <c>{"type","id","seq","room" or "to","from",…,"timestamp","nonce"?}</c>.
/// Thread-safe.
/// </summary>
public static class EventFrames
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The frame's bytes. They are made once and shared by all connections that get the event.</summary>
    /// <param name="e">An event that has its seq.</param>
    /// <param name="withNonce">True for the sender's own connections only.</param>
    public static byte[] Encode(ConversationEvent e, bool withNonce)
    {
        var buffer = new ArrayBufferWriter<byte>(256 + (e.Content?.Length ?? 0));
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            Write(json, e, withNonce, state: null);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes the event as one JSON object. History adds the effect of later events on a message.</summary>
    /// <param name="withName">False for pages, whose profiles have the name as it is now.</param>
    public static void Write(Utf8JsonWriter json, ConversationEvent e, bool withNonce, MessageState? state, bool withName = true)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, EventKinds.NameOf(e.Kind));
        json.WriteString("id"u8, e.Id);
        json.WriteNumber("seq"u8, e.Seq);
        WritePlace(json, e);
        json.WriteString("from"u8, e.From);
        if (withName && e.Name is not null)
        {
            json.WriteString("name"u8, e.Name);
        }

        WriteBody(json, e);
        json.WriteString("timestamp"u8, Timestamps.ToText(e.Timestamp));
        if (withNonce)
        {
            json.WriteString("nonce"u8, e.Nonce);
        }

        if (e.Deleted || state is { Deleted: true })
        {
            json.WriteBoolean("deleted"u8, true);
        }

        if (state is { Edited: > 0 })
        {
            json.WriteNumber("edited"u8, state.Edited);
        }

        if (state is { Reactions.Count: > 0 })
        {
            WriteReactions(json, state.Reactions);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes the conversation: a room, or the user that the sender addressed. The stored record has the same fields.</summary>
    internal static void WritePlace(Utf8JsonWriter json, ConversationEvent e)
    {
        if (e.Conversation.IsRoom)
        {
            json.WriteString("room"u8, e.Conversation.RoomId);
        }
        else
        {
            json.WriteString("to"u8, e.Conversation.Other(e.From));
        }
    }

    /// <summary>Writes the content of the event. The stored record has the same fields.</summary>
    internal static void WriteBody(Utf8JsonWriter json, ConversationEvent e)
    {
        if (e.Target > 0)
        {
            json.WriteNumber("target"u8, e.Target);
        }

        if (e.Content is not null)
        {
            json.WriteString("content"u8, e.Content);
        }

        if (e.Emoji is not null)
        {
            json.WriteString("emoji"u8, e.Emoji);
        }

        if (e.Remove)
        {
            json.WriteBoolean("remove"u8, true);
        }
    }

    private static void WriteReactions(Utf8JsonWriter json, IReadOnlyList<Reaction> reactions)
    {
        json.WriteStartArray("reactions"u8);
        foreach (var reaction in reactions)
        {
            json.WriteStartObject();
            json.WriteString("emoji"u8, reaction.Emoji);
            json.WriteNumber("count"u8, reaction.Count);
            json.WriteStartArray("users"u8);
            foreach (var user in reaction.Users)
            {
                json.WriteStringValue(user);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}

/// <summary>The effect of later events on a message, which history shows on the message itself.</summary>
/// <param name="Deleted">The content is gone, and the event carries an empty one.</param>
/// <param name="Edited">Seq of the last edit, or 0. The event carries the current content.</param>
/// <param name="Reactions">Reactions by emoji, in the order of first use.</param>
public sealed record MessageState(bool Deleted, long Edited, IReadOnlyList<Reaction> Reactions);

/// <param name="Users">The users who reacted, in order; the first of them when there are many.</param>
public sealed record Reaction(string Emoji, IReadOnlyList<string> Users)
{
    /// <summary>All users who reacted, listed or not.</summary>
    public long Count { get; init; } = Users.Count;
}
