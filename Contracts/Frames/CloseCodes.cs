namespace AspireChat.Contracts.Frames;

/// <summary>
/// The close codes of protocol §4 that tell a client of the chat what to do. Those of RFC 6455 itself are in WebSockets'
/// <c>CloseStatus</c>; no other file spells a code. 4000–4099 except 4002 and 4008 mean: do not reconnect on your own.
/// </summary>
public static class CloseCodes
{
    /// <summary>The node restarts: reconnect. From IANA's registry, like the next.</summary>
    public const int Restart = 1012;

    /// <summary>What goes with <see cref="Restart"/>, whether node or gateway says it.</summary>
    public const string RestartReason = "restart: reconnect";

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
