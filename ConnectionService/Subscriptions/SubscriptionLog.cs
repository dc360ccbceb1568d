using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Subscriptions;

/// <summary>Log messages of pub/sub: event ids 2100–2149.</summary>
internal static partial class SubscriptionLog
{
    [LoggerMessage(LogEvents.Connection + 100, LogLevel.Warning, "The pub/sub connection to Redis is lost: {Reason}")]
    public static partial void Lost(ILogger logger, string reason);

    [LoggerMessage(LogEvents.Connection + 101, LogLevel.Information, "The pub/sub connection to Redis is back: all conversations are checked")]
    public static partial void Restored(ILogger logger);

    [LoggerMessage(LogEvents.Connection + 102, LogLevel.Warning,
        "Channels could not be subscribed in time, last {Channel} ({Count} since the last such line)")]
    public static partial void SubscribeFailed(ILogger logger, string channel, long count);

    [LoggerMessage(LogEvents.Connection + 103, LogLevel.Warning, "No probe came back for {Seconds:F1} s: messages may be missing")]
    public static partial void ProbeLate(ILogger logger, double seconds);

    [LoggerMessage(LogEvents.Connection + 104, LogLevel.Debug, "A probe could not be published: {Reason}")]
    public static partial void ProbeNotSent(ILogger logger, string reason);
}
