namespace AspireChat.Client.Connecting;

/// <summary>
/// Asks the application's token provider, one call at a time, and keeps the latest token. The token appears in no message or log.
/// Thread-safe.
/// </summary>
internal sealed class TokenSource(Func<CancellationToken, ValueTask<string>> provider) : IDisposable
{
    private readonly SemaphoreSlim _asking = new(1);
    private volatile string? _current;

    public TokenSource(ChatClientOptions options) : this(options.TokenProvider)
    {
    }

    /// <summary>The latest token. Asks the provider only when there is none.</summary>
    public async ValueTask<string> CurrentAsync(CancellationToken cancellationToken) =>
        _current ?? await RenewAsync(null, cancellationToken).ConfigureAwait(false);

    /// <summary>Asks the provider, unless another call has replaced <paramref name="refused"/> already.</summary>
    /// <exception cref="ChatException"><see cref="ChatFaults.Token"/>: the provider failed and may succeed later.</exception>
    /// <exception cref="UnauthorizedAccessException">The provider says that there will be no token.</exception>
    public async ValueTask<string> RenewAsync(string? refused, CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (refused is not null && _current is { } newer && newer != refused)
            {
                return newer;
            }

            var token = await provider(cancellationToken).ConfigureAwait(false);
            if (string.IsNullOrEmpty(token))
            {
                throw new ChatException(ChatFaults.Token, "The token provider gave no token.");
            }

            return _current = token;
        }
        catch (Exception e) when (e is not (ChatException or UnauthorizedAccessException) && !cancellationToken.IsCancellationRequested)
        {
            throw new ChatException(ChatFaults.Token, "The token provider failed: " + e.Message, e);
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose() => _asking.Dispose();
}
