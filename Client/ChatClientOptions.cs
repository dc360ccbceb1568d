using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>How a <see cref="ChatClient"/> behaves. Read once, by its constructor, which refuses values out of range.</summary>
public sealed record ChatClientOptions
{
    /// <summary>Where the gateway is, e.g. <c>http://localhost:8080</c>; <c>https</c> makes the socket <c>wss</c>.</summary>
    public required Uri Gateway { get; init; }

    /// <summary>
    /// Gives a token that is valid now; asked before each connection, before the token expires, and when it is refused. It may cache, and
    /// must give a new token once the old one is near its end. A failure is retried with backoff, except <see
    /// cref="UnauthorizedAccessException"/>,
    /// which says that there will be none: the client closes. Called by one caller at a time.
    /// </summary>
    public required Func<CancellationToken, ValueTask<string>> TokenProvider { get; init; }

    /// <summary>
    /// Items that wait for the application to read them; default 1,024, at least 16. When it is full, typing and presence are dropped, and
    /// conversations wait with their events, which are then read from history: memory stays bounded and no event is lost.
    /// </summary>
    public int EventBuffer { get; init; } = 1_024;

    /// <summary>
    /// Sends that wait for their acknowledgement; default 1,000, at least 1. The next one is refused with <see
    /// cref="ChatFaults.QueueFull"/>.
    /// </summary>
    public int SendQueueLimit { get; init; } = 1_000;

    /// <summary>
    /// Sends of one conversation under way at once; default 1: own events get their seq in the order of the calls, whatever fails. More is
    /// faster and keeps that order too, except that when the server refuses one (rate limit, log unreachable) a later one may overtake it.
    /// </summary>
    public int SendsInFlight { get; init; } = 1;

    /// <summary>A send without an answer for this long is repeated with its nonce; default 15 s.</summary>
    public TimeSpan AckTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A send older than this fails with <see cref="ChatFaults.Expired"/>; default 23 h, because the server knows a nonce for 24 h.
    /// </summary>
    public TimeSpan SendLifetime { get; init; } = TimeSpan.FromHours(23);

    /// <summary>Longest content in UTF-16 code units; default as the server's, 8,000.</summary>
    public int MaxContentLength { get; init; } = new FrameLimits().Content;

    /// <summary>
    /// First wait before a new connection; default 250 ms. Doubles with each failure; a random half of each wait keeps clients apart.
    /// </summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest wait before a new connection; default 10 s.</summary>
    public TimeSpan MaxReconnectDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For the handshake and the <c>welcome</c> together, and for one HTTP call; default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A socket that is silent for the server's heartbeat is asked for a sign of life and given up after this; default 10 s.
    /// </summary>
    public TimeSpan PongTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// An event that must exist (acknowledged, durable, announced) and does not come is fetched after this; a replay that pauses for twice
    /// as long is given up for history; default 2 s.
    /// </summary>
    public TimeSpan LateAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// So often history is asked for events that it does not have, with growing waits, before they count as a <see cref="Gap"/>; default
    /// 6.
    /// </summary>
    public int RepairAttempts { get; init; } = 6;

    /// <summary>First wait between two attempts at a repair; default 100 ms, doubling up to 5 s.</summary>
    public TimeSpan RepairDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Also finds direct messages of conversations that began while the client was away, by one look at the user's conversations before
    /// the first and after each connection; default true. Off, such a conversation begins with the first event that arrives live.
    /// </summary>
    public bool FindDirectConversations { get; init; } = true;

    /// <summary>For the HTTP calls; not disposed. Without it the client makes one of its own. Its <c>Timeout</c> is not used.</summary>
    public HttpMessageInvoker? Http { get; init; }

    /// <summary>The clock and all timers; default the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// Where jitter comes from; a seeded one makes waits repeatable. Used inside a lock on it. Default <see cref="Random.Shared"/>.
    /// </summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>0 to below 1. Thread-safe, which a seeded <see cref="Random"/> is not.</summary>
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
