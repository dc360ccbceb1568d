using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>How a <see cref="ChatClient"/> behaves. Its constructor reads this once and refuses values out of range.</summary>
public sealed record ChatClientOptions
{
    /// <summary>Where the gateway is, e.g. <c>http://localhost:8080</c>; <c>https</c> makes the socket <c>wss</c>.</summary>
    public required Uri Gateway { get; init; }

    /// <summary>
    /// Gives a token that is valid now. The client calls it before each connection, before the token expires, and when the server refuses
    /// the token, one call at a time. It may cache, and must give a new token once the old one is about to expire. A failure is retried
    /// with backoff, except <see cref="UnauthorizedAccessException"/>: it means that there will be no token, and the client closes.
    /// </summary>
    public required Func<CancellationToken, ValueTask<string>> TokenProvider { get; init; }

    /// <summary>
    /// Most items that wait for the application to read them; default 1,024, at least 16. When the buffer is full, typing and presence are
    /// dropped. Events are not: they are read from history once there is space, so memory stays bounded and no event is lost.
    /// </summary>
    public int EventBuffer { get; init; } = 1_024;

    /// <summary>
    /// Most sends that wait for their acknowledgement; default 1,000, at least 1. The next one is refused with
    /// <see cref="ChatFaults.QueueFull"/>.
    /// </summary>
    public int SendQueueLimit { get; init; } = 1_000;

    /// <summary>
    /// Most sends of one conversation that are under way at once; default 1. With 1, the user's events get their seq in the order of the
    /// calls, whatever fails. More is faster, but when the server refuses a send (rate limit, log unreachable) a later one may overtake it.
    /// </summary>
    public int SendsInFlight { get; init; } = 1;

    /// <summary>A send that is not answered for this long is repeated with its nonce; default 15 s.</summary>
    public TimeSpan AckTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A send older than this fails with <see cref="ChatFaults.Expired"/>; default 23 h, because the server knows a nonce for 24 h.
    /// </summary>
    public TimeSpan SendLifetime { get; init; } = TimeSpan.FromHours(23);

    /// <summary>Longest content in UTF-16 code units; default 8,000, as on the server.</summary>
    public int MaxContentLength { get; init; } = new FrameLimits().Content;

    /// <summary>
    /// First wait before a new connection; default 250 ms. It doubles with each failure, and half of each wait is random, which keeps
    /// clients apart.
    /// </summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest wait before a new connection; default 10 s.</summary>
    public TimeSpan MaxReconnectDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time for the handshake and the <c>welcome</c> together, and for one HTTP call; default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A socket that is silent for the server's heartbeat gets a ping. If nothing comes back for this long it is given up; default 10 s.
    /// </summary>
    public TimeSpan PongTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// An event that must exist (acknowledged, durable, announced) and does not come is fetched from history after this long. A replay that
    /// pauses for twice as long is given up, and history is read instead. Default 2 s.
    /// </summary>
    public TimeSpan LateAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How often history is asked for events that it does not have, with growing waits, before they count as a <see cref="Gap"/>; default
    /// 6.
    /// </summary>
    public int RepairAttempts { get; init; } = 6;

    /// <summary>First wait between two attempts at a repair; default 100 ms, doubling up to 5 s.</summary>
    public TimeSpan RepairDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Whether to find direct conversations that began while the client was away; default true. The client asks for the user's
    /// conversations before the first connection and after each one. When off, such a conversation begins with the first event that arrives
    /// live.
    /// </summary>
    public bool FindDirectConversations { get; init; } = true;

    /// <summary>
    /// Makes the HTTP calls; default one of the client's own. The client does not dispose a given one and does not use its <c>Timeout</c>.
    /// </summary>
    public HttpMessageInvoker? Http { get; init; }

    /// <summary>The clock behind all times and timers; default the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// The source of jitter; default <see cref="Random.Shared"/>. A seeded one makes waits repeatable. The client locks it while using it.
    /// </summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>A random number from 0 to below 1. Thread-safe, which a seeded <see cref="Random"/> is not.</summary>
    internal double Chance()
    {
        lock (Random)
        {
            return Random.NextDouble();
        }
    }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Gateway);
        ArgumentNullException.ThrowIfNull(TokenProvider);
        if (!Gateway.IsAbsoluteUri || Gateway.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException("Gateway must be an absolute http or https address.", nameof(Gateway));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(EventBuffer, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(SendQueueLimit, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(SendsInFlight, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RepairAttempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxContentLength, 1);
        TimeSpan[] times = [AckTimeout, SendLifetime, ReconnectDelay, ConnectTimeout, PongTimeout, LateAfter, RepairDelay];
        foreach (var time in times)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero);
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(MaxReconnectDelay, ReconnectDelay);
    }
}
