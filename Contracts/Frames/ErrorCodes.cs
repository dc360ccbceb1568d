namespace AspireChat.Contracts.Frames;

/// <summary>The error codes of protocol §4. No other file spells one.</summary>
public static class ErrorCodes
{
    /// <summary>
    /// The frame is not JSON, a field is missing or wrong (the message names it), or a text has a NUL or a lone surrogate.
    /// </summary>
    public const string BadRequest = "bad_request";

    public const string UnknownType = "unknown_type";

    public const string TooLarge = "too_large";

    /// <summary>This connection has not joined the room.</summary>
    public const string NotJoined = "not_joined";

    public const string Forbidden = "forbidden";

    public const string NotFound = "not_found";

    /// <summary>The user sends too fast. Comes with <c>retryAfter</c>.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>The log can't be reached and nothing was accepted. Retry with the same nonce. Comes with <c>retryAfter</c>.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>The connection has too many rooms, or the user too many connections.</summary>
    public const string Limit = "limit";
}
