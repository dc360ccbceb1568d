namespace AspireChat.Contracts.Frames;

/// <summary>The error codes of protocol §4. No other file spells one.</summary>
public static class ErrorCodes
{
    /// <summary>Not JSON, a missing or wrong field (the message names it), NUL or a lone surrogate in text.</summary>
    public const string BadRequest = "bad_request";

    public const string UnknownType = "unknown_type";

    public const string TooLarge = "too_large";

    /// <summary>This connection has not joined the room.</summary>
    public const string NotJoined = "not_joined";

    public const string Forbidden = "forbidden";

    public const string NotFound = "not_found";

    /// <summary>Comes with <c>retryAfter</c>.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>The log can't be reached and nothing was accepted: retry with the same nonce. Comes with <c>retryAfter</c>.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>Too many rooms or connections.</summary>
    public const string Limit = "limit";
}
