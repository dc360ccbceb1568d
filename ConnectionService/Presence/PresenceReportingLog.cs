using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Presence;

/// <summary>Log events 2500–2599.</summary>
internal static partial class PresenceReportingLog
{
    private const int First = LogEvents.Connection + 500;

    [LoggerMessage(First, LogLevel.Information, "Presence is reported as replica {Replica}")]
    public static partial void Starting(this ILogger logger, string replica);

    [LoggerMessage(First + 1, LogLevel.Warning,
        "PresenceService does not answer the reports of {Replica} ({Reason}); presence is stale until it does")]
    public static partial void Away(this ILogger logger, string replica, string reason);

    [LoggerMessage(First + 2, LogLevel.Information, "PresenceService answers the reports of {Replica} again")]
    public static partial void Back(this ILogger logger, string replica);

    [LoggerMessage(First + 3, LogLevel.Information, "PresenceService does not know {Replica} (any more): a full report follows")]
    public static partial void FullWanted(this ILogger logger, string replica);

    [LoggerMessage(First + 4, LogLevel.Information, "The last report of {Replica} is out: nobody is connected here any more")]
    public static partial void SaidFarewell(this ILogger logger, string replica);
}
