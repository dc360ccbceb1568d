using System.Text.Json;
using System.Text.Json.Nodes;
using AspireChat.Contracts;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;

namespace AspireChat.PersistenceService.Outbox;

/// <summary>What a record of the log means to webhooks.</summary>
/// <param name="Lane">What keeps one order.</param>
/// <param name="Seq">
/// Of the event whose content is read when it is sent; 0: there is none, and the detail says all. -1: likewise, and it comes first of all that
/// the record means.
/// </param>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Detail">A JSON object, without anything that users wrote.</param>
internal readonly record struct WebhookEvent(WebhookKind Kind, string Lane, long Seq, long At, string? Detail = null);

/// <summary>The one place that says which records webhooks are told, and as what.</summary>
internal static class WebhookEvents
{
    /// <summary>Null: none of them.</summary>
    public static WebhookEvent? Of(LogRecord record) => record switch
    {
        ConversationEvent e => new WebhookEvent(KindOf(e.Kind), e.Conversation.Value, e.Seq, e.Timestamp),
        MembershipRecord m => new WebhookEvent(
            WebhookKind.MemberChanged, m.Conversation.Value, 0, m.Timestamp, MemberDetail(m.User, m.Joined ? "joined" : "left")),
        MemberChangeRecord m => new WebhookEvent(WebhookKind.MemberChanged, m.Conversation.Value, 0, m.Timestamp, MemberDetail(m)),
        RoomRecord r => new WebhookEvent(WebhookKind.RoomChanged, r.Conversation.Value, 0, r.Timestamp, RoomDetail(r.Change, r.By)),
        _ => null,
    };

    /// <summary>What the record means beside <see cref="Of"/>: a join that created the room. Null: nothing.</summary>
    public static WebhookEvent? CreationOf(LogRecord record) => record is MembershipRecord { Creates: true } m
        ? new WebhookEvent(WebhookKind.RoomChanged, m.Conversation.Value, -1, m.Timestamp, RoomDetail("created", m.User))
        : null;

    /// <summary>Who is to see a message: the other user of a direct conversation, and whoever it mentions.</summary>
    public static IEnumerable<string> AddresseesOf(ConversationEvent e)
    {
        if (e.Kind is not (EventKind.Room or EventKind.Dm))
        {
            return [];
        }

        var mentioned = (e.Details?.Mentions ?? []).Where(user => user != e.From);
        return e.Conversation.IsRoom || e.Conversation.Other(e.From) == e.From
            ? mentioned.Distinct(StringComparer.Ordinal)
            : mentioned.Prepend(e.Conversation.Other(e.From)).Distinct(StringComparer.Ordinal);
    }

    private static WebhookKind KindOf(EventKind kind) => kind switch
    {
        EventKind.Edit => WebhookKind.MessageEdited,
        EventKind.Delete => WebhookKind.MessageDeleted,
        EventKind.React => WebhookKind.ReactionChanged,
        _ => WebhookKind.MessageCreated,
    };

    private static string MemberDetail(string user, string change) =>
        $$"""{"user":{{JsonSerializer.Serialize(user)}},"change":"{{change}}"}""";

    private static string MemberDetail(MemberChangeRecord record)
    {
        var detail = new JsonObject
        {
            ["user"] = record.User, ["change"] = MemberChanges.NameOf(record.Change), ["by"] = record.By,
        };
        if (RoomRoles.NameOf(record.Role) is { } role)
        {
            detail["role"] = role;
        }

        if (record.Until > 0)
        {
            detail["until"] = Timestamps.ToText(record.Until);
        }

        return detail.ToJsonString();
    }

    private static string RoomDetail(string change, string by) => new JsonObject { ["change"] = change, ["by"] = by }.ToJsonString();
}
