using AspireChat.ServiceDefaults;

namespace AspireChat.PresenceService;

/// <summary>Log events 3000–3999.</summary>
internal static partial class PresenceLog
{
    private const int First = LogEvents.Presence;

    [LoggerMessage(First, LogLevel.Information, "Replica {Replica} is known: it reported all of its {Users} users")]
    public static partial void FullReport(this ILogger logger, string replica, int users);

    [LoggerMessage(First + 1, LogLevel.Information, "Replica {Replica} is not known: a full report was asked for")]
    public static partial void FullWanted(this ILogger logger, string replica);

    [LoggerMessage(First + 2, LogLevel.Warning, "The lease of replica {Replica} ended: its {Users} users are not connected there any more")]
    public static partial void LeaseEnded(this ILogger logger, string replica, long users);

    [LoggerMessage(First + 3, LogLevel.Warning, "Nobody looked at the presence timers for too long: leases and grace periods start anew")]
    public static partial void WasBlind(this ILogger logger);

    [LoggerMessage(First + 4, LogLevel.Warning, "Redis does not answer ({Reason}): presence stands still until it does")]
    public static partial void RedisAway(this ILogger logger, string reason);

    [LoggerMessage(First + 5, LogLevel.Information, "Redis answers again")]
    public static partial void RedisBack(this ILogger logger);

    [LoggerMessage(First + 6, LogLevel.Error, "A sweep of the presence timers failed; the next one tries again")]
    public static partial void SweepFailed(this ILogger logger, Exception exception);
}
