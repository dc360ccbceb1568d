using AspireChat.Contracts.Redis;

namespace AspireChat.Contracts.Presence;

/// <summary>
/// The Lua scripts of presence. All take the same keys (<see cref="Keys"/>), described in <c>presence-state.lua</c>, which each begins
/// with; their arguments are described at the top of each file.
/// </summary>
public static class PresenceScripts
{
    private static readonly string State = Load("presence-state.lua");

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
    ];

    /// <summary>Applies a part of a replica's report.</summary>
    public static string Report { get; } = State + Load("presence-report.lua");

    /// <summary>Puts users who came online into the rooms they are members of.</summary>
    public static string Place { get; } = State + Load("presence-place.lua");

    /// <summary>Answers what is due, and forgives what fell due while nobody looked.</summary>
    public static string Due { get; } = State + Load("presence-due.lua");

    /// <summary>Ends a lease.</summary>
    public static string Lease { get; } = State + Load("presence-lease.lua");

    /// <summary>Takes users offline whose grace period is over.</summary>
    public static string Offline { get; } = State + Load("presence-offline.lua");

    /// <summary>Tells rooms what changed.</summary>
    public static string Diffs { get; } = State + Load("presence-diffs.lua");

    /// <summary>Has rooms told again who is online, or how many.</summary>
    public static string Retell { get; } = State + Load("presence-retell.lua");

    /// <summary>Begins, renews and ends typing.</summary>
    public static string Typing { get; } = State + Load("presence-typing.lua");

    private static string Load(string file)
    {
        using var stream = typeof(PresenceScripts).Assembly.GetManifestResourceStream(file)
            ?? throw new InvalidOperationException($"The script {file} is not embedded beside {nameof(PresenceScripts)}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
