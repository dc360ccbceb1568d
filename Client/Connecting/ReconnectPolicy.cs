using AspireChat.Contracts.Frames;

namespace AspireChat.Client.Connecting;

/// <summary>How a connection, or an attempt at one, ended.</summary>
internal sealed record ConnectionEnd
{
    /// <summary>The WebSocket close code; null for a loss without one.</summary>
    public int? Code { get; init; }

    public required string Reason { get; init; }

    /// <summary>The HTTP status that refused the upgrade.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>How long the connection lived after its <c>welcome</c>; null when there was none.</summary>
    public TimeSpan? Lived { get; init; }

    /// <summary>What is left of the wait that a draining node asked for.</summary>
    public TimeSpan? LeaveIn { get; init; }

    /// <summary>The wait that the server asked for with HTTP <c>Retry-After</c>.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Why the client knows by itself that another attempt would fail too: a code; null: it does not.</summary>
    public string? Final { get; init; }

    /// <summary>The code that the application gets when this is the end for good.</summary>
    public string Fault =>
        Final ?? (HttpStatus is 401 or 403 || Code is CloseCodes.TokenExpired ? ChatErrorCodes.Token : ChatErrorCodes.Closed);
}

/// <summary>
/// What follows the end of a connection: nothing more, or another attempt after <paramref name="Wait"/>. <paramref name="Failures"/> and
/// <paramref name="Refusals"/> go into the next decision.
/// </summary>
internal readonly record struct Decision(bool IsFinal, TimeSpan Wait, int Failures, int Refusals);

/// <summary>
/// The close-code table of protocol §4 as decisions. Waits grow exponentially and half of each is random, which AWS's Builders' Library
/// calls "equal jitter". Pure except for its random numbers.
/// </summary>
internal static class ReconnectPolicy
{
    /// <summary>After a connection that lived this long, the next loss starts with a short wait again.</summary>
    public static readonly TimeSpan Stable = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan OverloadedWait = TimeSpan.FromSeconds(5);

    public static Decision Decide(ConnectionEnd end, int failures, int refusals, ChatClientOptions options)
    {
        if (end.Lived >= Stable)
        {
            failures = 0;
        }
        // The first refusal may be due to the token's age. The provider has been asked again since, so a second one is due to the token.
        refusals = end.HttpStatus == 401 || end.Code == CloseCodes.TokenExpired && end.Lived is null ? refusals + 1 : 0;
        if (end.Final is not null || IsFinal(end.Code) || end.HttpStatus == 403 || refusals > 1)
        {
            return new(true, default, failures, refusals);
        }

        return new(false, Wait(end, failures, refusals, options), failures + 1, refusals);
    }

    /// <summary>4000–4099 except 4002 and 4008 mean that the client must not come back by itself.</summary>
    public static bool IsFinal(int? code) => code is >= 4000 and <= 4099 and not (CloseCodes.TokenExpired or CloseCodes.TooSlow);

    public static TimeSpan Backoff(int failures, TimeSpan first, TimeSpan longest, ChatClientOptions options)
    {
        var full = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 30)), longest.TotalMilliseconds);
        return TimeSpan.FromMilliseconds((full / 2) + (full / 2 * options.Chance()));
    }

    private static TimeSpan Wait(ConnectionEnd end, int failures, int refusals, ChatClientOptions options)
    {
        var wait = Backoff(failures, options.ReconnectDelay, options.MaxReconnectDelay, options);
        if (failures == 0 && (end.Code == CloseCodes.TokenExpired || refusals == 1))
        {
            return TimeSpan.Zero;
        }

        if (end.LeaveIn is { } left)
        {
            return failures == 0 ? Max(left, TimeSpan.Zero) : Max(left, wait);
        }

        if (end.Code == CloseCodes.Overloaded)
        {
            return wait + (OverloadedWait * (0.5 + (options.Chance() / 2)));
        }

        if (end.RetryAfter is { } asked)
        {
            return Max(wait, asked * (1 + (options.Chance() / 5)));
        }

        return wait;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
