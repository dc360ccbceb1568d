using System.Globalization;
using AspireChat.Contracts.Frames;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AspireChat.Client;

/// <summary>
/// How a <see cref="ChatClient"/> behaves. Its constructor takes a copy and refuses values out of range. With dependency injection the
/// plain values can come from configuration, and are checked when the application starts.
/// </summary>
public sealed record ChatClientOptions
{
    /// <summary>Where the gateway is, e.g. <c>http://localhost:8080</c>; <c>https</c> makes the socket <c>wss</c>.</summary>
    public required Uri Gateway { get; set; }

    /// <summary>
    /// Gives a token that is valid now. The client calls it before each connection, before the token expires, and when the server refuses
    /// the token, one call at a time. It may cache, and must give a new token once the old one is about to expire. A failure is retried
    /// with backoff, except <see cref="UnauthorizedAccessException"/>: it means that there will be no token, and the client closes.
    /// </summary>
    public required Func<CancellationToken, ValueTask<string>> TokenProvider { get; set; }

    /// <summary>
    /// Most items that wait for the application to read them, for each reader; default 1,024, at least 16. When the buffer is full, typing
    /// and presence are dropped for this reader. Events are not: they are read from history once there is space, so memory stays bounded
    /// and no event is lost.
    /// </summary>
    public int EventBuffer { get; set; } = 1_024;

    /// <summary>
    /// Most sends that wait for their acknowledgement; default 1,000, at least 1. The next one is refused with
    /// <see cref="ChatErrorCodes.QueueFull"/>.
    /// </summary>
    public int SendQueueLimit { get; set; } = 1_000;

    /// <summary>
    /// Most sends of one conversation that are under way at once; default 1. With 1, the user's events get their seq in the order of the
    /// calls, whatever fails. More is faster, but when the server refuses a send (rate limit, log unreachable) a later one may overtake it.
    /// </summary>
    public int SendsInFlight { get; set; } = 1;

    /// <summary>A send that is not answered for this long is repeated with its nonce; default 15 s.</summary>
    public TimeSpan AckTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A send older than this fails with <see cref="ChatErrorCodes.Expired"/>; default 23 h, because the server knows a nonce for 24 h.
    /// </summary>
    public TimeSpan SendLifetime { get; set; } = TimeSpan.FromHours(23);

    /// <summary>Longest content in UTF-16 code units; default 8,000, as on the server.</summary>
    public int MaxContentLength { get; set; } = new FrameLimits().Content;

    /// <summary>
    /// First wait before a new connection; default 250 ms. It doubles with each failure, and half of each wait is random, which keeps
    /// clients apart.
    /// </summary>
    public TimeSpan ReconnectDelay { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest wait before a new connection; default 10 s.</summary>
    public TimeSpan MaxReconnectDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time for the handshake and the <c>welcome</c> together, and for one HTTP call; default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A socket that is silent for the server's heartbeat gets a ping. If nothing comes back for this long it is given up; default 10 s.
    /// </summary>
    public TimeSpan PongTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// An event that must exist (acknowledged, durable, announced) and does not come is fetched from history after this long. A replay that
    /// pauses for twice as long is given up, and history is read instead. Default 2 s.
    /// </summary>
    public TimeSpan LateAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How often history is asked for events that it does not have, with growing waits, before they count as a <see cref="HistoryGap"/>;
    /// default 6.
    /// </summary>
    public int RepairAttempts { get; set; } = 6;

    /// <summary>First wait between two attempts at a repair; default 100 ms, doubling up to 5 s.</summary>
    public TimeSpan RepairDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Whether to find direct conversations that began while the client was away; default true. The client asks for the user's
    /// conversations before the first connection and after each one. When off, such a conversation begins with the first event that arrives
    /// live.
    /// </summary>
    public bool FindDirectConversations { get; set; } = true;

    /// <summary>
    /// Makes the HTTP calls; default one of the client's own. The client does not dispose a given one and does not use its <c>Timeout</c>.
    /// </summary>
    public HttpMessageInvoker? Http { get; set; }

    /// <summary>
    /// Whether to open the socket at a node itself where the server offers that; default true. It costs one HTTP call before a connection,
    /// and in a system without it one call in all. Where the node cannot be reached, the socket goes through the gateway.
    /// </summary>
    public bool UseTickets { get; set; } = true;

    /// <summary>
    /// Where the client logs; default nowhere. A client from dependency injection uses the application's. The category is
    /// <c>AspireChat.Client.ChatClient</c>. Neither tokens nor content are logged.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The clock behind all times and timers; default the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>
    /// The source of jitter; default <see cref="Random.Shared"/>. A seeded one makes waits repeatable. The client locks it while using it.
    /// </summary>
    public Random Random { get; set; } = Random.Shared;

    /// <summary>The longest that a timer takes is 49 days.</summary>
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(30);

    internal ILogger CreateLogger() => LoggerFactory?.CreateLogger<ChatClient>() ?? (ILogger)NullLogger.Instance;

    /// <summary>A random number from 0 to below 1. Thread-safe, which a seeded <see cref="Random"/> is not.</summary>
    internal double Chance()
    {
        lock (Random)
        {
            return Random.NextDouble();
        }
    }

    /// <summary>The options that cannot work, each with what is wrong.</summary>
    internal IEnumerable<(string Option, string Problem)> Problems()
    {
        if (Gateway is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
        {
            yield return Problem(nameof(Gateway), "must be the absolute http or https address of the gateway", Gateway);
        }

        if (TokenProvider is null)
        {
            yield return Problem(nameof(TokenProvider), $"must be set, or an {nameof(IChatTokenProvider)} be registered", null);
        }

        (string Name, int Value, int Least)[] counts =
        [
            (nameof(EventBuffer), EventBuffer, 16), (nameof(SendQueueLimit), SendQueueLimit, 1), (nameof(SendsInFlight), SendsInFlight, 1),
            (nameof(RepairAttempts), RepairAttempts, 1), (nameof(MaxContentLength), MaxContentLength, 1),
        ];
        foreach (var (name, value, least) in counts)
        {
            if (value < least)
            {
                yield return Problem(name, $"must be at least {least}", value);
            }
        }

        (string Name, TimeSpan Value)[] times =
        [
            (nameof(AckTimeout), AckTimeout), (nameof(SendLifetime), SendLifetime), (nameof(ReconnectDelay), ReconnectDelay),
            (nameof(ConnectTimeout), ConnectTimeout), (nameof(PongTimeout), PongTimeout), (nameof(LateAfter), LateAfter),
            (nameof(RepairDelay), RepairDelay),
        ];
        foreach (var (name, value) in times)
        {
            if (value <= TimeSpan.Zero || value > LongestTime)
            {
                yield return Problem(name, $"must be more than 0 and at most {LongestTime.TotalDays} days", value);
            }
        }

        if (MaxReconnectDelay < ReconnectDelay || MaxReconnectDelay > LongestTime)
        {
            yield return Problem(
                nameof(MaxReconnectDelay), $"must be at least {nameof(ReconnectDelay)} and at most {LongestTime.TotalDays} days",
                MaxReconnectDelay);
        }

        if (TimeProvider is null)
        {
            yield return Problem(nameof(TimeProvider), "must not be null", null);
        }

        if (Random is null)
        {
            yield return Problem(nameof(Random), "must not be null", null);
        }
    }

    private static (string Option, string Problem) Problem(string option, string rule, object? value) =>
        (option, string.Create(CultureInfo.InvariantCulture, $"{option} {rule}; it is {value ?? "not set"}."));
}
