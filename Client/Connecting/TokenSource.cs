using System.Buffers;

namespace AspireChat.Client.Connecting;

/// <summary>
/// Asks the application's token provider, one call at a time, and keeps the latest token. The token appears in no message or log.
/// Thread-safe.
/// </summary>
internal sealed class TokenSource(Func<CancellationToken, ValueTask<string>> provider) : IDisposable
{
    /// <summary>What RFC 6750 lets stand behind <c>Bearer</c>. Anything else would break the header.</summary>
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    private readonly SemaphoreSlim _asking = new(1);
    private volatile string? _current;

    public TokenSource(ChatClientOptions options) : this(options.TokenProvider)
    {
    }

    /// <summary>The latest token. Asks the provider only when there is none.</summary>
    public async ValueTask<string> CurrentAsync(CancellationToken cancellationToken) =>
        _current ?? await RenewAsync(null, cancellationToken).ConfigureAwait(false);

    /// <summary>Asks the provider, unless another call has replaced <paramref name="refused"/> already.</summary>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.Token"/>: the provider failed and may succeed later, or
    /// (<see cref="ChatException.IsFinal"/>) it gives what is no token.</exception>
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

            var token = await AskAsync(cancellationToken).ConfigureAwait(false);
            if (string.IsNullOrEmpty(token) || token.AsSpan().ContainsAnyExcept(Allowed))
            {
                throw new ChatException(ChatErrorCodes.Token, "The token provider gave something that is no JSON Web Token.")
                {
                    IsFinal = true,
                };
            }

            return _current = token;
        }
        catch (Exception e) when (e is not (ChatException or UnauthorizedAccessException) && !cancellationToken.IsCancellationRequested)
        {
            throw new ChatException(ChatErrorCodes.Token, "The token provider failed: " + e.Message, e);
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose() => _asking.Dispose();

    private async Task<string> AskAsync(CancellationToken cancellationToken)
    {
        var asking = provider(cancellationToken).AsTask();
        try
        {
            // A provider that does not watch the token must not hold up the client's end.
            return await asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!asking.IsCompleted)
        {
            // Nobody waits for it any more, so its failure counts as observed.
            _ = asking.ContinueWith(
                static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
    }
}
