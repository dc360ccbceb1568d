namespace AspireChat.Client;

/// <summary>
/// Gives tokens to a client that comes from dependency injection. Register it with any lifetime: each token is asked for in a scope of its
/// own. <see cref="ChatClientOptions.TokenProvider"/>, where it is set, is asked instead.
/// </summary>
public interface IChatTokenProvider
{
    /// <summary>
    /// Gives a token that is valid now. It is called before each connection, before the token expires, and when the server refuses the
    /// token, one call at a time. It may cache, and must give a new token once the old one is about to expire.
    /// </summary>
    /// <exception cref="UnauthorizedAccessException">There will be no token, so the client closes. Any other failure is asked again with
    /// growing waits.</exception>
    ValueTask<string> GetTokenAsync(CancellationToken cancellationToken);
}
