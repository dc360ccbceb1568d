using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>The codes with which the server refuses: of a <see cref="ChatException"/> and a <see cref="Fault"/>.</summary>
public static class ChatErrorCodes
{
    /// <summary>A field is missing or wrong; the message names it.</summary>
    public const string BadRequest = ErrorCodes.BadRequest;

    /// <summary>The server is older than the client and does not know this kind of frame.</summary>
    public const string UnknownType = ErrorCodes.UnknownType;

    /// <summary>The frame or the body has too many bytes.</summary>
    public const string TooLarge = ErrorCodes.TooLarge;

    /// <summary>The connection has not joined the room.</summary>
    public const string NotJoined = ErrorCodes.NotJoined;

    /// <summary>The user may see it, but not do this.</summary>
    public const string Forbidden = ErrorCodes.Forbidden;

    /// <summary>It does not exist, or the user must not know that it does.</summary>
    public const string NotFound = ErrorCodes.NotFound;

    /// <summary>HTTP 409: there is a room with this id.</summary>
    public const string Exists = "exists";

    /// <summary>The user sends too fast. Both clients wait and repeat by themselves.</summary>
    public const string RateLimited = ErrorCodes.RateLimited;

    /// <summary>The log can't be reached. Both clients repeat by themselves.</summary>
    public const string Unavailable = ErrorCodes.Unavailable;

    /// <summary>There are as many as there may be: rooms of a connection, connections of a user, members, a day's bytes.</summary>
    public const string Limit = ErrorCodes.Limit;
}

/// <summary>
/// The close codes of a connection, as <see cref="ConnectionChanged.CloseCode"/> and <see cref="ChatException.CloseCode"/> tell them. After
/// 4000–4099 except 4002 and 4008 the client does not come back by itself.
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
