namespace AspireChat.Contracts.Frames;

/// <summary>The WebSocket close codes of protocol §4. No other file spells one. 4000–4099 except 4002 and 4008 mean: do not reconnect by yourself.</summary>
public static class CloseCodes
{
    public const int Normal = 1000;
    public const int Shutdown = 1001;
    public const int ProtocolError = 1002;
    public const int BinaryMessage = 1003;
    public const int InvalidUtf8 = 1007;
    public const int MessageTooBig = 1009;
    public const int ServerError = 1011;

    /// <summary>The node restarts: reconnect.</summary>
    public const int Restart = 1012;

    /// <summary>The node is overloaded: reconnect later.</summary>
    public const int Overloaded = 1013;

    public const int Unauthorized = 4001;

    /// <summary>The token expired: renew it, then reconnect.</summary>
    public const int TokenExpired = 4002;

    /// <summary>Forbidden, or disconnected by an operator.</summary>
    public const int Forbidden = 4003;

    /// <summary>The client reads slower than its conversations move: reconnect and resume.</summary>
    public const int TooSlow = 4008;

    public const int Flooding = 4009;
}
