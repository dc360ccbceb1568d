using System.ComponentModel.DataAnnotations;
using AspireChat.Contracts.Frames;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AspireChat.ServiceDefaults;

/// <summary>Configuration section <c>Calls</c>: how many calls of users a service works on at a time.</summary>
public sealed class CallLimitOptions
{
    public const string Section = "Calls";

    /// <summary>Calls of one user that run at a time: 1–1,000, 4 by default.</summary>
    [Range(1, 1_000)]
    public int RunningPerUser { get; set; } = 4;

    /// <summary>Further calls of one user that wait for those: 0–1,000, 8 by default. One more is answered 429 <c>rate_limited</c>.</summary>
    [Range(0, 1_000)]
    public int WaitingPerUser { get; set; } = 8;

    /// <summary>
    /// Calls of all users that run at a time: 1–10,000, 64 by default. Each holds a few megabytes at most, so this bounds the memory that
    /// answers take. Up to four times as many wait; one more is answered 503 <c>unavailable</c>.
    /// </summary>
    [Range(1, 10_000)]
    public int Running { get; set; } = 64;

    /// <summary>How long a call waits for its turn before it is refused: 0.1–60 s, 5 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long an answer may take from its beginning to its last byte: 1 s–10 min, 30 s by default. A client that reads more slowly loses
    /// its connection, so that it does not keep its place for ever.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan AnswerTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What a refused caller is told to wait: 1–60 s, 1 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);
}

/// <summary>
/// Bounds the calls that run at a time, of each user and of all. A user above it waits for their own calls, never for those of another,
/// unless the whole service is full: then users take turns. Thread-safe.
/// </summary>
public sealed class CallLimits : IEndpointFilter
{
    private readonly CallLimitOptions _options;
    private readonly TimeProvider _time;
    private readonly TurnsByKey _perUser;
    private readonly FairTurns _all;

    public CallLimits(IOptions<CallLimitOptions> options, TimeProvider time)
    {
        _options = options.Value;
        _time = time;
        _perUser = new TurnsByKey(_options.RunningPerUser, _options.WaitingPerUser, time);
        _all = new FairTurns(_options.Running, mostWaitingOfKey: _options.RunningPerUser, 4 * _options.Running, time);
    }

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var user = ChatUser.From(http.User).Id;
        if (!await _perUser.EnterAsync(user, _options.Patience, http.RequestAborted))
        {
            await http.WriteProblemAsync(
                StatusCodes.Status429TooManyRequests, "Too many calls at a time.", ErrorCodes.RateLimited, _options.RetryAfter);
            return Results.Empty;
        }

        try
        {
            return await WhenAllHaveRoomAsync(user, http, context, next);
        }
        finally
        {
            _perUser.Leave(user);
        }
    }

    private async Task<object?> WhenAllHaveRoomAsync(
        string user, HttpContext http, EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (!await _all.EnterAsync(user, _options.Patience, http.RequestAborted))
        {
            await http.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable, "The service is full at the moment.", ErrorCodes.Unavailable, _options.RetryAfter);
            return Results.Empty;
        }

        try
        {
            return await AnswerAsync(http, context, next);
        }
        finally
        {
            _all.Leave();
        }
    }

    private async Task<object?> AnswerAsync(HttpContext http, EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        using var late = new CancellationTokenSource(_options.AnswerTime, _time);
        using var abort = late.Token.UnsafeRegister(static http => ((HttpContext)http!).Abort(), http);
        // An answer is written while the call has its place.
        if (await next(context) is IResult result)
        {
            await result.ExecuteAsync(http);
        }

        return Results.Empty;
    }
}

public static class CallLimitExtensions
{
    public static IServiceCollection AddCallLimits(this IServiceCollection services)
    {
        services.AddValidatedOptions<CallLimitOptions>(CallLimitOptions.Section);
        return services.AddSingleton<CallLimits>();
    }

    /// <summary>Bounds the calls to these endpoints together with all others that are bounded. They need a verified user.</summary>
    public static TBuilder LimitCalls<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.AddEndpointFilter<TBuilder, CallLimitFilter>();

    private sealed class CallLimitFilter(CallLimits limits) : IEndpointFilter
    {
        public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
            limits.InvokeAsync(context, next);
    }
}
