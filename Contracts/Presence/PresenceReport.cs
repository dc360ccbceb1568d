using System.Text.Json.Serialization;

namespace AspireChat.Contracts.Presence;

/// <summary>
/// What a ConnectionService replica tells PresenceService, in batches: <c>POST /internal/presence/{replica}</c>. Counts are absolute
/// (connections of the user on this replica now), so a repeated or late report is harmless: a report whose sequence is not above the last
/// one of the same instance is ignored. Every report, also an empty one, renews the replica's lease.
/// </summary>
/// <param name="Instance">
/// New at every start of the replica's process and ordinally above the former one's (a UUID version 7): an older instance's state is void.
/// </param>
/// <param name="Sequence">1, 2, 3, … within the instance.</param>
/// <param name="Full">
/// True: <paramref name="Users"/> is all users of the replica, and whoever is missing has no connection there any more. Of
/// <paramref name="Rooms"/> a part may follow in later reports.
/// </param>
/// <param name="Users">Users whose number of connections changed; 0: the last one closed.</param>
/// <param name="Rooms">Memberships begun (also confirmed by a join) or ended here.</param>
/// <param name="Typing">Typing notices since the last report.</param>
/// <param name="Missed">Rooms whose members here may have missed what was told: they are to hear who is online again.</param>
public sealed record PresenceReport(
    string Instance,
    long Sequence,
    bool Full,
    IReadOnlyList<UserConnections> Users,
    IReadOnlyList<RoomMembership> Rooms,
    IReadOnlyList<TypingNotice> Typing,
    IReadOnlyList<string>? Missed = null);

public sealed record UserConnections(string User, int Connections);

/// <param name="Brief">
/// Of a membership that ended: no report confirmed yet said that it began. PresenceService may never have heard of it, but others in the
/// room may have seen the user in their snapshots.
/// </param>
public sealed record RoomMembership(string Room, string User, bool Member, bool Brief = false);

/// <summary>Exactly one of <paramref name="Room"/> and <paramref name="To"/> is set.</summary>
public sealed record TypingNotice(string User, string? Room, string? To, bool Active);

/// <param name="NeedFull">PresenceService does not know this instance (it or Redis lost its state): the next report must be full.</param>
public sealed record PresenceReportAnswer(bool NeedFull);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PresenceReport))]
[JsonSerializable(typeof(PresenceReportAnswer))]
public sealed partial class PresenceReportContext : JsonSerializerContext;
