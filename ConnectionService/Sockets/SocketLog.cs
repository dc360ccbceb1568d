namespace AspireChat.ConnectionService.Sockets;

/// <summary>Log messages of the sockets: event ids 2150–2249.</summary>
internal static partial class SocketLog
{
    [LoggerMessage(2150, LogLevel.Debug, "Connection {Connection} of {User} opened")]
    public static partial void Opened(ILogger logger, string connection, string user);

    [LoggerMessage(2151, LogLevel.Debug, "Connection {Connection} of {User} ended after {Seconds:F1} s")]
    public static partial void Ended(ILogger logger, string connection, string user, double seconds);

    [LoggerMessage(2152, LogLevel.Information, "Connection {Connection} is closed: {Code} {Reason}")]
    public static partial void Closing(ILogger logger, string connection, int code, string reason);

    [LoggerMessage(2153, LogLevel.Error, "Connection {Connection} failed: this is a bug")]
    public static partial void Failed(ILogger logger, Exception error, string connection);

    [LoggerMessage(2154, LogLevel.Information, "{User} has too many connections on this node")]
    public static partial void TooManyConnections(ILogger logger, string user);

    [LoggerMessage(2155, LogLevel.Information, "Draining: {Connections} connections are sent elsewhere")]
    public static partial void Draining(ILogger logger, int connections);
}
