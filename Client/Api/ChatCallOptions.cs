using AspireChat.Client.Connecting;

namespace AspireChat.Client;

/// <summary>
/// How calls over HTTP behave. The class that makes the calls reads this once, in its constructor, and refuses values that cannot work.
/// Several of them may have the same options; they then have the same token.
/// </summary>
public abstract class ChatCallOptions
{
    private TokenSource? _tokens;

    private protected ChatCallOptions()
    {
    }

    /// <summary>Where the gateway is, e.g. <c>https://chat.example.org</c>; an absolute http or https address. Required.</summary>
    public Uri? Gateway { get; set; }

    /// <summary>
    /// Gives a token that is valid now. It is asked before the first call, and once more when the server answers 401, one call at a time.
    /// Required.
    /// </summary>
    public Func<CancellationToken, ValueTask<string>>? TokenProvider { get; set; }

    /// <summary>Longest time for one attempt, more than zero; default 10 s.</summary>
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Longest time for a call with all its attempts and waits, at least <see cref="AttemptTimeout"/>; default 30 s. A call that the server
    /// wants to have later than this fails at once.
    /// </summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// First wait before another attempt, more than zero; default 250 ms. It doubles, and half of each wait is random. A longer
    /// <c>Retry-After</c> of the server is obeyed.
    /// </summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest wait before another attempt that the server did not ask for, at least <see cref="RetryDelay"/>; default 5 s.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The clock behind all waits; default the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>The token that all calls with these options share, so that a client for one call does not ask for another token.</summary>
    internal TokenSource Tokens => _tokens ?? Interlocked.CompareExchange(ref _tokens, new TokenSource(TokenProvider!), null) ?? _tokens!;

    /// <summary>What cannot work, beginning with the name of the option; empty when all can.</summary>
    internal IEnumerable<string> Problems()
    {
        if (Gateway is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
        {
            yield return $"{nameof(Gateway)} must be an absolute http or https address.";
        }

        if (TokenProvider is null)
        {
            yield return $"{nameof(TokenProvider)} is missing.";
        }

        if (TimeProvider is null)
        {
            yield return $"{nameof(TimeProvider)} is missing.";
        }

        if (AttemptTimeout <= TimeSpan.Zero)
        {
            yield return $"{nameof(AttemptTimeout)} must be more than zero.";
        }

        if (Deadline < AttemptTimeout)
        {
            yield return $"{nameof(Deadline)} must be at least {nameof(AttemptTimeout)}.";
        }

        if (RetryDelay <= TimeSpan.Zero)
        {
            yield return $"{nameof(RetryDelay)} must be more than zero.";
        }

        if (MaxRetryDelay < RetryDelay)
        {
            yield return $"{nameof(MaxRetryDelay)} must be at least {nameof(RetryDelay)}.";
        }
    }
}
