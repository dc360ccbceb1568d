using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>
/// The close codes of a connection, as <see cref="ChatConnectionChanged.CloseCode"/> and <see cref="ChatException.CloseCode"/> tell them.
/// After 4000–4099 except 4002 and 4008 the client does not come back by itself.
/// </summary>
public static class ChatCloseCodes
{
    /// <summary>The node restarts. The client connects again.</summary>
    public const int Restart = CloseCodes.Restart;

    /// <summary>The node is overloaded. The client connects again later.</summary>
    public const int Overloaded = CloseCodes.Overloaded;

    /// <summary>The token was refused.</summary>
    public const int Unauthorized = CloseCodes.Unauthorized;

    /// <summary>The token has expired. The client asks for a new one and connects again.</summary>
    public const int TokenExpired = CloseCodes.TokenExpired;

    /// <summary>The user may not connect, or an operator disconnected them.</summary>
    public const int Forbidden = CloseCodes.Forbidden;

    /// <summary>The client reads too slowly. It connects again and reads on.</summary>
    public const int TooSlow = CloseCodes.TooSlow;

    /// <summary>The client sends too much too fast.</summary>
    public const int Flooding = CloseCodes.Flooding;
}
