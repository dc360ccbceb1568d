using System.Text.Json.Serialization;

namespace AspireChat.Contracts.Presence;

/// <summary>
/// A batch of what a ConnectionService replica tells PresenceService: <c>POST /internal/presence/{replica}</c>. Counts are absolute (the
/// user's connections on this replica now), and a report is ignored if its sequence is not above the instance's last one. So a repeated or
/// late report is harmless. Every report renews the replica's lease, even an empty one.
/// </summary>
/// <param name="Instance"> A UUID version 7 that is new at every start of the replica's process and ordinally above the former one. It
/// voids the state of older instances.
/// </param>
/// <param name="Sequence">1, 2, 3, … within the instance.</param>
/// <param name="Full">
/// True when <paramref name="Users"/> has all users of the replica. A user who is missing has no connection there any more. A part of
/// <paramref name="Rooms"/> may follow in later reports.
/// </param>
/// <param name="Users">Users whose number of connections changed. 0 means that the last one closed.</param>
/// <param name="Rooms">Memberships that began, were confirmed by a join, or ended here.</param>
/// <param name="Typing">Typing notices since the last report.</param>
/// <param name="Missed">Rooms whose members here may have missed presence frames, so that they must be told again who is online.</param>
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
/// True for a membership that ended before any confirmed report had said that it began. PresenceService may never have heard of it, but
/// others in the room may have seen the user in their snapshots.
/// </param>
public sealed record RoomMembership(string Room, string User, bool Member, bool Brief = false);

/// <summary>Exactly one of <paramref name="Room"/> and <paramref name="To"/> is set.</summary>
public sealed record TypingNotice(string User, string? Room, string? To, bool Active);

/// <param name="NeedFull">The next report must be full, because PresenceService does not know this instance. It or Redis lost its
/// state.</param>
public sealed record PresenceReportAnswer(bool NeedFull);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PresenceReport))]
[JsonSerializable(typeof(PresenceReportAnswer))]
public sealed partial class PresenceReportContext : JsonSerializerContext;
