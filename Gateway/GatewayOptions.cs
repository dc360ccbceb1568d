using System.ComponentModel.DataAnnotations;
using AspireChat.WebSockets;
using AspireChat.Gateway.Requests;
using AspireChat.Gateway.WebClient;

namespace AspireChat.Gateway;

/// <summary>
/// The whole configuration section <c>Gateway</c>. Token settings are in <c>Jwt</c>. The addresses of the services are in the section of
/// service discovery: <c>services:connection:http:0</c> and so on.
/// </summary>
public sealed class GatewayOptions : IValidatableObject
{
    private static readonly TimeSpan ShortestSweep = TimeSpan.FromMilliseconds(250);

    public const string Section = "Gateway";

    /// <summary>
    /// Folder of the web client. Unset: the repository's <c>web</c> folder in Development when the content root lies beside it, otherwise
    /// the copy beside the program.
    /// </summary>
    public string? WebRoot { get; set; }

    /// <summary>
    /// Origins, besides the gateway's own, whose pages may open a socket, call the API, ask for development tokens and import the client
    /// module: <c>https://chat.example.org</c>; <c>*</c> allows all.
    /// Requests without an Origin are not from browsers and pass.
    /// </summary>
    public string[] AllowedOrigins { get; set; } = [];

    /// <summary>
    /// Origins from which the page may show users' pictures: <c>https://cdn.example.org</c>; <c>https:</c> allows all. None by default, because
    /// whoever serves a picture learns who looks at it, and when. Without its picture a user is shown by initials.
    /// </summary>
    public string[] ImageOrigins { get; set; } = [];

    /// <summary>How users of the page sign in at the OpenID Connect provider.</summary>
    [Required]
    public SignInOptions SignIn { get; set; } = new();

    /// <summary>
    /// Networks (<c>10.1.0.0/16</c>) or addresses of the proxies in front of the gateway, whose <c>X-Forwarded-For</c> and
    /// <c>X-Forwarded-Proto</c> are believed. None by default. A proxy that is missing here makes all its clients one address, which shares
    /// the limits of one; a warning tells of it.
    /// </summary>
    public string[] KnownProxies { get; set; } = [];

    /// <summary>
    /// Names, besides the loopback ones, under which <c>/dev/token</c> gives tokens in the Development environment. None by default: a page
    /// of any name that leads to this machine (DNS rebinding) could otherwise get a token for every user.
    /// </summary>
    public string[] DevTokenHosts { get; set; } = [];

    /// <summary>
    /// A socket on which no byte moved in either direction for this long is cut, at most a twentieth of it (or 0.25 s) later: 100 s by default.
    /// The server pings every 15–30 s, so only a dead peer is silent for so long. Keep it above twice the heartbeat.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan SocketIdleTimeout { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>
    /// An event loop of the gateway's own forwards sockets, at half the cost of the proxy's general way. True by default. It works on Linux
    /// only, and for clients that come without TLS and HTTP/2. Others always take the general way.
    /// </summary>
    public bool Tunnels { get; set; } = true;

    /// <summary>An API call on which no byte moved for this long is answered 504: 30 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan ApiIdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a client may take to send the head of a request: 10 s by default, 0.1 s–5 min. (A body must come at 240 bytes per second
    /// after 5 s, and an answer must be read as fast; a connection without a request is closed after 75 s.)
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan HeadTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long connecting to a destination may take before the next one is tried: 2 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Each destination's <c>/health</c> is asked this often: 2 s by default. Also the <c>Retry-After</c> of a 503.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:05:00")]
    public TimeSpan HealthInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>A probe without an answer for this long has failed: 2 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:05:00")]
    public TimeSpan HealthTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// DNS names of destinations are looked up this often: 2 s by default. A changed configuration takes effect at once. A rolling restart
    /// must leave more than this between one replica's readiness and the next one's end.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "01:00:00")]
    public TimeSpan DnsRefresh { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// When the gateway stops, its clients are sent away one by one over this time (2 s by default), so that they do not all come back at
    /// once. Together with <see cref="CloseTimeout"/> it must be less than the host's shutdown timeout of 30 s. The ranges ensure that.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:20")]
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>A client that is sent away is asked to come back after a time up to this: 1 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ReconnectSpread { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a client that is sent away may take to close before it is cut: 5 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:08")]
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Request rates per client.</summary>
    [Required]
    public RateLimitOptions RateLimits { get; set; } = new();

    /// <summary>The loops of clients and tunnels. They look for silent sockets so often that one is found a twentieth of its time late.</summary>
    internal EventLoopOptions Loops => new(Tunnels, Sweep: TimeSpan.FromTicks(Math.Max(ShortestSweep.Ticks, SocketIdleTimeout.Ticks / 20)));

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => KnownProxies
        .Where(proxy => !string.IsNullOrEmpty(proxy) && KnownProxiesExtensions.NetworkOf(proxy) is null)
        .Select(proxy => new ValidationResult(
            $"has '{proxy}', which is neither a network (10.1.0.0/16) nor an address.", [nameof(KnownProxies)]))
        .Concat(ImageOrigins
            .Where(origin => !SecurityHeaders.IsImageSource(origin))
            .Select(origin => new ValidationResult(
                $"has '{origin}', which is neither an origin (https://cdn.example.org) nor https: for all.", [nameof(ImageOrigins)])));
}

/// <summary>
/// Configuration section <c>Gateway:SignIn</c>: the page as a client of the provider at <c>Jwt:Authority</c> (authorization code with PKCE). Register
/// the gateway's own address, with a slash at its end, as the redirect address of a public client.
/// </summary>
public sealed class SignInOptions
{
    /// <summary>The page's id at the provider. Unset: the page signs nobody in by a provider.</summary>
    public string? ClientId { get; set; }

    /// <summary>What the page asks for: <c>openid profile offline_access</c> by default. With the last one, users stay signed in while the page is open.</summary>
    [Required]
    public string Scope { get; set; } = "openid profile offline_access";
}

/// <summary>
/// Configuration section <c>Gateway:RateLimits</c>. The defaults leave room for an office behind one address; a load test from one machine
/// sets <c>Enabled</c> to false (<c>Gateway__RateLimits__Enabled=false</c>).
/// </summary>
public sealed class RateLimitOptions
{
    /// <summary>False turns all limits of the gateway off. The services' own limits (events per user, connections per user) stay.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// All requests, per address (IPv6: per /64 network), whatever for: files, probes, unknown paths and refused ones too.
    /// </summary>
    [Required]
    public RateLimit RequestsPerAddress { get; set; } = new() { PerSecond = 1_000, Burst = 5_000 };

    /// <summary>
    /// Open connections per address, used or not: 4,000 by default, 1–1,000,000. One more is closed at once. Known proxies have no such
    /// limit.
    /// </summary>
    [Range(1, 1_000_000)]
    public int ConnectionsPerAddress { get; set; } = 4_000;

    /// <summary>Open sockets per client address, known proxies in front or not: 4,000 by default, 1–1,000,000. One more is 429.</summary>
    [Range(1, 1_000_000)]
    public int SocketsPerAddress { get; set; } = 4_000;

    /// <summary>
    /// Handshakes of sockets that are under way at a time, from all addresses: 32 by default, 1–100,000. Each costs all services together about two
    /// milliseconds of processor time, which open sockets wait for. Further ones wait, at most 1,000 of one address, and those of different
    /// addresses take turns.
    /// </summary>
    [Range(1, 100_000)]
    public int Handshakes { get; set; } = 32;

    /// <summary>How long a handshake waits for its turn before it is answered 503: 5 s by default, 0.01 s–1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan HandshakePatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Open connections of this gateway, from all addresses: 50,000 by default, 1–10,000,000. One more is closed at once. It must fit the
    /// limit of open files, of which a socket takes two.
    /// </summary>
    [Range(1, 10_000_000)]
    public int Connections { get; set; } = 50_000;

    /// <summary>Calls of <c>/api</c>, per user.</summary>
    [Required]
    public RateLimit ApiPerUser { get; set; } = new() { PerSecond = 100, Burst = 500 };

    /// <summary>
    /// Calls of <c>/api</c> of one user that are under way at a time: 32 by default, 1–100,000. One more is 429. Services refuse most of them too
    /// (<c>Calls:RunningPerUser</c>), but each would have taken a connection to a service first.
    /// </summary>
    [Range(1, 100_000)]
    public int CallsPerUser { get; set; } = 32;

    /// <summary>Attempts to open a socket, per address (IPv6: per /64 network), accepted or not.</summary>
    [Required]
    public RateLimit ConnectsPerAddress { get; set; } = new() { PerSecond = 200, Burst = 4000 };

    /// <summary>Development tokens, per address.</summary>
    [Required]
    public RateLimit DevTokensPerAddress { get; set; } = new() { PerSecond = 200, Burst = 4000 };
}

/// <summary>A token bucket: <see cref="Burst"/> requests at once, refilled by <see cref="PerSecond"/>.</summary>
public sealed class RateLimit
{
    [Range(1, 1_000_000)]
    public int PerSecond { get; set; } = 100;

    [Range(1, 1_000_000)]
    public int Burst { get; set; } = 100;
}
