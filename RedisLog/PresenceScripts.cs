namespace AspireChat.RedisLog;

/// <summary>
/// The Lua scripts of presence. All begin with <c>presence-state.lua</c>, which describes their keys: the same for all
/// (<see cref="Keys"/>). Arguments and reply are described at the top of each file.
/// </summary>
public static class PresenceScripts
{
    private static readonly string State = RedisScripts.Load("presence-state.lua");

    /// <summary>
    /// These run on a full Redis too: they end what is over, and what they add is less than what they free.
    /// </summary>
    private const string OnFullRedis = "#!lua flags=allow-oom\n";

    /// <summary>The keys that are always there, then the stems from which a script builds those of users, rooms and replicas.</summary>
    public static IReadOnlyList<string> Keys { get; } =
    [
        RedisKeys.PresenceWatch,
        RedisKeys.PresenceLeases,
        RedisKeys.PresenceGrace,
        RedisKeys.PresenceArrivals,
        RedisKeys.PresenceDiffs,
        RedisKeys.PresenceTypists,
        RedisKeys.PresenceOnline,
        RedisKeys.PresenceUser(""),
        RedisKeys.PresenceIn(""),
        RedisKeys.RoomOnline(""),
        RedisKeys.PresenceDiff(""),
        RedisKeys.RoomTyping(""),
        RedisKeys.PresenceSeen(""),
        RedisKeys.PresenceReplica(""),
        RedisKeys.PresenceReplicaUsers(""),
        RedisKeys.PresenceTellings,
        RedisKeys.PresenceTyped(""),
        RedisKeys.PresenceProfiles,
    ];

    public static string Report { get; } = State + RedisScripts.Load("presence-report.lua");
    public static string Place { get; } = State + RedisScripts.Load("presence-place.lua");
    public static string Due { get; } = OnFullRedis + State + RedisScripts.Load("presence-due.lua");
    public static string Lease { get; } = OnFullRedis + State + RedisScripts.Load("presence-lease.lua");
    public static string Offline { get; } = OnFullRedis + State + RedisScripts.Load("presence-offline.lua");
    public static string Diffs { get; } = OnFullRedis + State + RedisScripts.Load("presence-diffs.lua");
    public static string Retell { get; } = State + RedisScripts.Load("presence-retell.lua");
    public static string Typing { get; } = State + RedisScripts.Load("presence-typing.lua");
}
