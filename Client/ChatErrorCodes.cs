using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>
/// Why something failed: the codes of a <see cref="ChatException"/> and a <see cref="ChatFault"/>. The first ones are the server's, and the
/// rest, from <see cref="BadOption"/> on, are the client's own.
/// </summary>
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

    /// <summary>The user may see it, but not do this. When connecting: the token is another user's than before.</summary>
    public const string Forbidden = ErrorCodes.Forbidden;

    /// <summary>It does not exist, or the user must not know that it does.</summary>
    public const string NotFound = ErrorCodes.NotFound;

    /// <summary>HTTP 409: there is a room with this id.</summary>
    public const string Exists = "exists";

    /// <summary>The user sends too fast. A connected client waits and repeats by itself.</summary>
    public const string RateLimited = ErrorCodes.RateLimited;

    /// <summary>The log can't be reached, and nothing was accepted. A connected client repeats by itself.</summary>
    public const string Unavailable = ErrorCodes.Unavailable;

    /// <summary>There are as many as there may be: rooms of a connection, connections of a user, members, a day's bytes.</summary>
    public const string Limit = ErrorCodes.Limit;

    /// <summary>An option cannot work. <see cref="ChatException.Option"/> names it.</summary>
    public const string BadOption = "bad_option";

    /// <summary>
    /// The client was disposed, or the server told it to stay away (<see cref="ChatConnectionState.Closed"/>;
    /// <see cref="ChatException.CloseCode"/> says why).
    /// </summary>
    public const string Closed = "closed";

    /// <summary><see cref="ChatClientOptions.SendQueueLimit"/> sends wait already.</summary>
    public const string QueueFull = "queue_full";

    /// <summary>
    /// A send waited so long that a repeat could become a second message. It may or may not be in the log.
    /// </summary>
    public const string Expired = "expired";

    /// <summary>The conversation's log was rebuilt, so a question about the old one has no answer.</summary>
    public const string EpochChanged = "epoch_changed";

    /// <summary>
    /// There is no token: the provider failed or gave something that is no token, or the server refused two tokens in a row
    /// (<see cref="ChatException.Status"/> 401 or 403, or <see cref="ChatException.CloseCode"/> 4002).
    /// </summary>
    public const string Token = "token";

    /// <summary>History did not answer, or its answer could not be used.</summary>
    public const string History = "history";

    /// <summary>
    /// A call over HTTP had no answer within its deadline. It may or may not have been carried out; repeating it is harmless, except where
    /// the call says otherwise.
    /// </summary>
    public const string NoAnswer = "no_answer";

    /// <summary>An answer over HTTP that is no answer of this protocol, e.g. of a proxy. <see cref="ChatException.Status"/> has its
    /// status.</summary>
    public const string BadAnswer = "bad_answer";
}
