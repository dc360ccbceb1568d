using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Connections;

/// <summary>Log messages of the sockets: event ids 2150–2249.</summary>
internal static partial class SocketLog
{
    [LoggerMessage(LogEvents.Connection + 150, LogLevel.Debug, "Connection {Connection} of {User} opened")]
    public static partial void Opened(ILogger logger, string connection, string user);

    [LoggerMessage(LogEvents.Connection + 151, LogLevel.Debug, "Connection {Connection} of {User} ended after {Seconds:F1} s")]
    public static partial void Ended(ILogger logger, string connection, string user, double seconds);

    [LoggerMessage(LogEvents.Connection + 153, LogLevel.Error, "Connection {Connection} failed: this is a bug")]
    public static partial void Failed(ILogger logger, Exception error, string connection);

    [LoggerMessage(LogEvents.Connection + 154, LogLevel.Information, "A connection of {User} is refused: {Refusal}")]
    public static partial void TooManyConnections(ILogger logger, string user, string refusal);

    [LoggerMessage(LogEvents.Connection + 155, LogLevel.Information, "Draining: {Connections} connections are sent elsewhere")]
    public static partial void Draining(ILogger logger, int connections);
}
