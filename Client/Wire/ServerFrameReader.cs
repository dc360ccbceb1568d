using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using AspireChat.Contracts;

namespace AspireChat.Client.Wire;

/// <summary>Reads frames of the server. Unknown types and fields are no fault, because the protocol may grow. Thread-safe.</summary>
internal static class ServerFrameReader
{
    /// <summary>
    /// False when the bytes are no frame or the frame lacks a field that its type demands. <paramref name="problem"/> says which.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out WireFrame? frame, [NotNullWhen(false)] out string? problem)
    {
        try
        {
            frame = JsonSerializer.Deserialize(utf8, WireContext.Default.WireFrame);
            problem = frame is null ? "the frame is null" : Problem(frame);
        }
        catch (JsonException e)
        {
            (frame, problem) = (null, "not a frame: " + e.Message);
        }
        if (problem is not null)
        {
            frame = null;
        }

        return frame is not null;
    }

    public static bool IsEvent(WireFrame frame) => frame.Type is "room" or "dm" or "edit" or "delete" or "react";

    /// <summary>The event in a frame that was checked.</summary>
    /// <param name="asOf">Of an event from history: the head when the page was made. A message shows what happened until then.</param>
    public static ChatEvent ToEvent(WireFrame frame, Conversation conversation, string? epoch, long asOf = 0)
    {
        var (id, seq, from, timestamp, nonce) = (frame.Id!, frame.Seq!.Value, frame.From!, ToTime(frame.Timestamp)!.Value, frame.Nonce);
        return frame.Type switch
        {
            "room" or "dm" => new MessageSent(conversation)
            {
                Id = id, Seq = seq, Epoch = epoch, From = from, Name = frame.Name, Timestamp = timestamp, Nonce = nonce,
                Content = frame.Content ?? "",
                AsOf = asOf,
                Deleted = frame.Deleted ?? false,
                Edited = frame.Edited ?? 0,
                ReplyTo = frame.ReplyTo ?? 0,
                Mentions = frame.Mentions ?? [],
                Meta = frame.Meta?.GetRawText(),
                Reactions = frame.Reactions is null ? [] : [.. frame.Reactions.Select(r => new MessageReactions(r.Emoji, r.Users) { Count = r.Count })],
            },
            "edit" => new MessageEdited(conversation)
            {
                Id = id, Seq = seq, Epoch = epoch, From = from, Name = frame.Name, Timestamp = timestamp, Nonce = nonce,
                Target = frame.Target!.Value,
                Content = frame.Content ?? "",
                Mentions = frame.Mentions,
                Meta = frame.Meta?.GetRawText(),
            },
            "delete" => new MessageDeleted(conversation)
            {
                Id = id, Seq = seq, Epoch = epoch, From = from, Name = frame.Name, Timestamp = timestamp, Nonce = nonce,
                Target = frame.Target!.Value,
            },
            "react" => new MessageReacted(conversation)
            {
                Id = id, Seq = seq, Epoch = epoch, From = from, Name = frame.Name, Timestamp = timestamp, Nonce = nonce,
                Target = frame.Target!.Value,
                Emoji = frame.Emoji!,
                Removed = frame.Remove ?? false,
            },
            _ => throw new ArgumentException($"'{frame.Type}' is no event.", nameof(frame)),
        };
    }

    /// <summary>
    /// The conversation that the frame names, seen from <paramref name="user"/>. In an event <c>to</c> is the addressee; in any other frame
    /// it is the other user.
    /// </summary>
    public static Conversation PlaceOf(WireFrame frame, string user)
    {
        if (frame.Room is not null)
        {
            return Conversation.Room(frame.Room);
        }

        return Conversation.With(IsEvent(frame) && frame.From != user ? frame.From! : frame.To!);
    }

    public static DateTimeOffset? ToTime(string? text) =>
        DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : null;

    /// <summary>The field that the frame's type demands and that is missing; null when none is, or when the type is unknown.</summary>
    internal static string? Problem(WireFrame f)
    {
        var missing = f.Type switch
        {
            null => "type",
            "welcome" => f.User is null ? "user" : f.Heartbeat is not > 0 ? "heartbeat" : ToTime(f.Expires) is null ? "expires" : null,
            "ack" => f.Nonce is null ? "nonce" : f.Id is null ? "id" : f.Epoch is null ? "epoch" : ToTime(f.Timestamp) is null
                ? "timestamp" : Seq(f) ?? Place(f),
            "room" or "dm" or "edit" or "delete" or "react" => Event(f),
            "durable" => Seq(f) ?? Place(f),
            "joined" => f.Epoch is null ? "epoch" : f.Members is null ? "members" : f.Count is null ? "count" : f.Typing is null ? "typing"
                : f.Read is null ? "read" : Seq(f) ?? Room(f),
            "resumed" => f.Head is not >= 0 ? "head" : f.Complete is null ? "complete" : f.Epoch is null ? "epoch" : Seq(f) ?? Place(f),
            "left" => Room(f),
            "member" => f.Change is null ? "change" : !UserIds.IsSender(f.User) ? "user" : !UserIds.IsSender(f.By) ? "by" : Room(f),
            "online" or "offline" => f.Users is null ? "users" : f.Count is null ? "count" : Room(f),
            "presence" => f.Count is null ? "count" : Room(f),
            "typing" => f.Active is null ? "active" : From(f) ?? Place(f),
            "read" => From(f) ?? Seq(f) ?? Place(f),
            "signal" => f.Name is null ? "name" : From(f) ?? Place(f),
            "error" => f.Code is null ? "code" : null,
            "reconnect" => f.After is not >= 0 ? "after" : null,
            "profile" => UserIds.IsSender(f.User) ? null : "user",
            "authenticated" => ToTime(f.Expires) is null ? "expires" : null,
            _ => null,
        };
        return missing is null ? null : $"{missing} of a {f.Type ?? "frame"} is missing or wrong";
    }

    private static string? Event(WireFrame f)
    {
        if (f.Id is null)
        {
            return "id";
        }

        if (ToTime(f.Timestamp) is null)
        {
            return "timestamp";
        }

        var own = f.Type switch
        {
            "delete" => f.Target is null ? "target" : null,
            "edit" => f.Target is null ? "target" : f.Content is null ? "content" : null,
            "react" => f.Target is null ? "target" : f.Emoji is null ? "emoji" : null,
            _ => f.Content is null ? "content" : null,
        };
        return own ?? (f.Seq is >= 1 ? null : "seq") ?? From(f) ?? Place(f);
    }

    private static string? Seq(WireFrame f) => f.Seq is >= 0 ? null : "seq";

    private static string? From(WireFrame f) => UserIds.IsSender(f.From) ? null : "from";

    private static string? Room(WireFrame f) => RoomIds.IsValid(f.Room) ? null : "room";

    private static string? Place(WireFrame f) => f.Room is not null ? Room(f) : UserIds.IsSender(f.To) ? null : "to";
}
