namespace AspireChat.ConnectionService.Subscriptions;

/// <summary>Log messages of pub/sub: event ids 2100–2149.</summary>
internal static partial class SubscriptionLog
{
    [LoggerMessage(2100, LogLevel.Warning, "The pub/sub connection to Redis is lost: {Reason}")]
    public static partial void Lost(ILogger logger, string reason);

    [LoggerMessage(2101, LogLevel.Information, "The pub/sub connection to Redis is back: all conversations are checked")]
    public static partial void Restored(ILogger logger);

    [LoggerMessage(2102, LogLevel.Warning,
        "Channels could not be subscribed in time, last {Channel} ({Count} since the last such line)")]
    public static partial void SubscribeFailed(ILogger logger, string channel, long count);

    [LoggerMessage(2103, LogLevel.Warning, "No probe came back for {Seconds:F1} s: messages may be missing")]
    public static partial void ProbeLate(ILogger logger, double seconds);

    [LoggerMessage(2104, LogLevel.Debug, "A probe could not be published: {Reason}")]
    public static partial void ProbeNotSent(ILogger logger, string reason);
}
