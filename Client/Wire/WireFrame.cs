using System.Text.Json;
using System.Text.Json.Serialization;

namespace AspireChat.Client.Wire;

/// <summary>
/// Any frame or event of the server as it stands on the wire. It has one flat shape, because <c>type</c> may come anywhere in the object
/// and a frame is read in one pass. <see cref="ServerFrameReader"/> checks the fields that a type demands; after that check they are not
/// null.
/// </summary>
internal sealed class WireFrame
{
    public string? Type { get; init; }
    public string? Room { get; init; }
    public string? To { get; init; }
    public string? From { get; init; }
    public string? Id { get; init; }
    public long? Seq { get; init; }
    public string? Epoch { get; init; }
    public string? Timestamp { get; init; }
    public string? Content { get; init; }
    public string? Nonce { get; init; }
    public long? Target { get; init; }
    public string? Emoji { get; init; }
    public bool? Remove { get; init; }
    public bool? Deleted { get; init; }
    public long? Edited { get; init; }
    public IReadOnlyList<WireReaction>? Reactions { get; init; }
    public long? ReplyTo { get; init; }
    public IReadOnlyList<string>? Mentions { get; init; }
    public JsonElement? Meta { get; init; }
    public string? Name { get; init; }
    public JsonElement? Data { get; init; }
    public bool? Duplicate { get; init; }
    public long? Head { get; init; }
    public bool? Complete { get; init; }
    public IReadOnlyList<string>? Members { get; init; }
    public IReadOnlyList<string>? Users { get; init; }
    public IReadOnlyList<string>? Typing { get; init; }
    public long? Count { get; init; }
    public long? Read { get; init; }
    public bool? Active { get; init; }
    public string? User { get; init; }
    public string? Connection { get; init; }
    public string? Node { get; init; }
    public double? Heartbeat { get; init; }
    public string? Expires { get; init; }
    public string? Code { get; init; }
    public string? Message { get; init; }
    public double? RetryAfter { get; init; }
    public double? After { get; init; }
    public string? Picture { get; init; }
    public string? Role { get; init; }
    public string? Visibility { get; init; }
    public string? Sending { get; init; }
    public string? Topic { get; init; }
    public string? Reason { get; init; }
    public string? Change { get; init; }
    public string? Until { get; init; }
    public string? By { get; init; }
    public IReadOnlyDictionary<string, WireProfile>? Profiles { get; init; }

    /// <summary>A text that this client sent. Another implementation of the server might give back something else.</summary>
    public JsonElement? Ref { get; init; }

    /// <summary>The ref if it is a text, as this client sends; else null.</summary>
    [JsonIgnore]
    public string? Reference => Ref is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
}

internal sealed record WireProfile(string? Name, string? Picture);

internal sealed record WireReaction(string Emoji, long Count, IReadOnlyList<string> Users);

internal sealed record WirePage(
    IReadOnlyList<WireFrame>? Items, string? Epoch, long? Head, string? Next, IReadOnlyDictionary<string, WireProfile>? Profiles = null);

internal sealed record WireOverview(string? Room, string? To, long Head, long Read, long Unread, long? Mentions, WireFrame? Last);

internal sealed record WireOverviews(
    IReadOnlyList<WireOverview>? Items, string? Next = null, IReadOnlyDictionary<string, WireProfile>? Profiles = null);

internal sealed record WireTicket(string? Url, string? Ticket);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WireFrame))]
[JsonSerializable(typeof(WirePage))]
[JsonSerializable(typeof(WireOverviews))]
[JsonSerializable(typeof(WireTicket))]
internal sealed partial class WireContext : JsonSerializerContext;
