using AspireChat.Contracts.Frames;

namespace AspireChat.Client.Connecting;

/// <summary>How a connection, or an attempt at one, ended.</summary>
internal sealed record ConnectionEnd
{
    /// <summary>The WebSocket close code; null for a loss without one.</summary>
    public int? Code { get; init; }

    public required string Reason { get; init; }

    /// <summary>The status that refused the upgrade.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>How long it was up, from its <c>welcome</c>; null when it never came up.</summary>
    public TimeSpan? Lived { get; init; }

    /// <summary>What is left of the time that a draining node asked for.</summary>
    public TimeSpan? LeaveIn { get; init; }

    /// <summary>The server's wish (HTTP <c>Retry-After</c>).</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The client itself knows that going on makes no sense.</summary>
    public bool IsFinal { get; init; }
}

/// <summary>
/// What follows: nothing more, or another attempt after <paramref name="Wait"/>. <paramref name="Failures"/> and <paramref
/// name="Refusals"/> go into the next decision.
/// </summary>
internal readonly record struct Decision(bool IsFinal, TimeSpan Wait, int Failures, int Refusals);

/// <summary>
/// The close-code table of protocol §4 as decisions, and the waits: exponential with half of each random, as in the "equal jitter" of
/// AWS's builders' library. Pure but for its random numbers.
/// </summary>
internal static class ReconnectPolicy
{
    /// <summary>A connection that lived this long was a good one: the next loss starts with a short wait again.</summary>
    public static readonly TimeSpan Stable = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan OverloadedWait = TimeSpan.FromSeconds(5);

    public static Decision Decide(ConnectionEnd end, int failures, int refusals, ChatClientOptions options)
    {
        if (end.Lived >= Stable)
        {
            failures = 0;
        }
        // One refusal may be the token's age; the provider was asked again since, so a second one is the token's kind.
        refusals = end.HttpStatus == 401 || end.Code == CloseCodes.TokenExpired && end.Lived is null ? refusals + 1 : 0;
        if (end.IsFinal || IsFinal(end.Code) || end.HttpStatus == 403 || refusals > 1)
        {
            return new(true, default, failures, refusals);
        }

        return new(false, Wait(end, failures, refusals, options), failures + 1, refusals);
    }

    /// <summary>4000–4099 except 4002 and 4008 mean: do not come back by yourself.</summary>
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
