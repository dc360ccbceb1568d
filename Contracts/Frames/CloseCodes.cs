namespace AspireChat.Contracts.Frames;

/// <summary>
/// The close codes of protocol §4 that tell a chat client what to do. Those of RFC 6455 itself are in WebSockets' <c>CloseStatus</c>. No
/// other file spells a code. 4000–4099 except 4002 and 4008 mean that the client must not reconnect by itself.
/// </summary>
public static class CloseCodes
{
    /// <summary>The node restarts, and the client should reconnect. This code and 1013 come from IANA's registry.</summary>
    public const int Restart = 1012;

    /// <summary>The close reason that goes with <see cref="Restart"/>, from nodes and gateways alike.</summary>
    public const string RestartReason = "restart: reconnect";

    /// <summary>The node is overloaded, and the client should reconnect later.</summary>
    public const int Overloaded = 1013;

    public const int Unauthorized = 4001;

    /// <summary>The token has expired. The client should renew it and reconnect.</summary>
    public const int TokenExpired = 4002;

    /// <summary>The user is not allowed to connect, or an operator disconnected them.</summary>
    public const int Forbidden = 4003;

    /// <summary>The client reads more slowly than its conversations move. It should reconnect and resume.</summary>
    public const int TooSlow = 4008;

    public const int Flooding = 4009;
}
