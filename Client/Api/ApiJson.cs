using System.Text.Json;
using System.Text.Json.Serialization;
using AspireChat.Client.Wire;

namespace AspireChat.Client.Api;

internal sealed record WireProblem(string? Title, string? Detail, string? Code);

internal sealed record WireRoom(
    string Room, string? Name, string? Topic, string? Visibility, string? Sending, JsonElement? Meta, int? RetentionDays, string? Created,
    long Members, long Head, bool Joined, string? Role);

internal sealed record WireRooms(IReadOnlyList<WireRoom>? Items, string? Next);

internal sealed record WireMember(string User, bool Online, long Read, string? Role);

internal sealed record WireMembers(
    IReadOnlyList<WireMember>? Items, IReadOnlyDictionary<string, WireProfile>? Profiles, string? Next);

internal sealed record WireMemberRole(string? Role);

internal sealed record WireMembersToAdd(IReadOnlyList<string> Members, string? Role);

internal sealed record WireAdded(string User, string? Code);

internal sealed record WireAddedList(IReadOnlyList<WireAdded>? Items);

internal sealed record WireRestriction(string? Until, string? Reason);

internal sealed record WireBan(string User, string? Until, string? Reason, string By);

internal sealed record WireBans(IReadOnlyList<WireBan>? Items);

internal sealed record WireMessage(
    string Content, string Nonce, string? From, long? ReplyTo, IReadOnlyList<string>? Mentions, JsonElement? Meta);

internal sealed record WireAck(string Nonce, string Id, long Seq, string? Epoch, string Timestamp, bool? Duplicate);

internal sealed record WireUser(string User, string? Name, string? Picture);

internal sealed record WireUsers(IReadOnlyList<WireUser>? Items);

internal sealed record WirePresence(string User, bool Online, string? LastSeen);

internal sealed record WirePresences(IReadOnlyList<WirePresence>? Items);

internal sealed record WirePresenceQuery(IReadOnlyList<string> Users);

internal sealed record WireErasure(string Id, string User, string Status, long Erased);

internal sealed record WireDeadLetter(
    string Id, int Webhook, string? Room, IReadOnlyList<string>? Users, IReadOnlyList<string>? Types, int Events, long First, long Last,
    int Attempts, string? Error, string Timestamp);

internal sealed record WireDeadLetters(IReadOnlyList<WireDeadLetter>? Items, string? Next);

internal sealed record WireOverviewPage(
    IReadOnlyList<WireOverview>? Items, IReadOnlyDictionary<string, WireProfile>? Profiles, string? Next);

internal sealed record WireEvents(
    IReadOnlyList<WireFrame>? Items, IReadOnlyDictionary<string, WireProfile>? Profiles, string? Epoch, long? Head, string? Next);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WireProblem))]
[JsonSerializable(typeof(WireRoom))]
[JsonSerializable(typeof(WireRooms))]
[JsonSerializable(typeof(WireMembers))]
[JsonSerializable(typeof(WireMemberRole))]
[JsonSerializable(typeof(WireMembersToAdd))]
[JsonSerializable(typeof(WireAddedList))]
[JsonSerializable(typeof(WireRestriction))]
[JsonSerializable(typeof(WireBans))]
[JsonSerializable(typeof(WireMessage))]
[JsonSerializable(typeof(WireAck))]
[JsonSerializable(typeof(WireProfile))]
[JsonSerializable(typeof(WireUsers))]
[JsonSerializable(typeof(WirePresence))]
[JsonSerializable(typeof(WirePresences))]
[JsonSerializable(typeof(WirePresenceQuery))]
[JsonSerializable(typeof(WireErasure))]
[JsonSerializable(typeof(WireDeadLetters))]
[JsonSerializable(typeof(WireOverviewPage))]
[JsonSerializable(typeof(WireEvents))]
internal sealed partial class ApiJson : JsonSerializerContext;
