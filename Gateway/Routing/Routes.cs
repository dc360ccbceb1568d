using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace AspireChat.Gateway.Routing;

/// <summary>
/// Which service answers which path and method (protocol §1 and §5). Everything needs a user's token. Paths that are not listed do not
/// exist here, and <c>/internal/…</c> is never listed.
/// </summary>
internal sealed class Routes : IProxyConfigProvider, IProxyConfig
{
    public const string Connection = "connection";
    private const string Presence = "presence";
    private const string Persistence = "persistence";
    private const string SocketRoute = "socket";
    private const string TicketRoute = "socket-ticket";
    private const string AnyUser = "default";

    public Routes(IOptions<GatewayOptions> options)
    {
        _routes =
        [
            // All methods: CONNECT opens a socket over HTTP/2 (RFC 8441), and the proxy accepts no list with it. SocketHandshake checks.
            Route(SocketRoute, "/ws", Connection, methods: null),
            Route("send", "/api/rooms/{room}/messages", Connection, [HttpMethods.Post]),
            Route(TicketRoute, "/api/socket-tickets", Connection, [HttpMethods.Post]),
            Route("disconnect", "/api/admin/users/{user}/disconnect", Connection, [HttpMethods.Post], policy: ChatPolicies.Admin),
            Route("erase-user", "/api/admin/users/{user}", Persistence, [HttpMethods.Delete], policy: ChatPolicies.Admin),
            Route("erasure", "/api/admin/erasures/{id}", Persistence, [HttpMethods.Get], policy: ChatPolicies.Admin),
            Route("export-user", "/api/admin/users/{user}/export", Persistence, [HttpMethods.Get], policy: ChatPolicies.Admin),
            Route("webhook-dead-letters", "/api/admin/webhooks/dead-letters", Persistence, [HttpMethods.Get], policy: ChatPolicies.Admin),
            Route("webhook-replay", "/api/admin/webhooks/dead-letters/{id}/replay", Persistence, [HttpMethods.Post], policy: ChatPolicies.Admin),
            Route("revoke", "/api/admin/users/{user}/revoke", Connection, [HttpMethods.Post], policy: ChatPolicies.Admin),
            Route("set-profile", "/api/admin/users/{user}", Connection, [HttpMethods.Put], policy: ChatPolicies.Admin),
            Route("users", "/api/users", Persistence, [HttpMethods.Get]),
            Route("users-for-admins", "/api/admin/users", Persistence, [HttpMethods.Get], policy: ChatPolicies.Admin),
            Route("presence-of-user", "/api/users/{user}/presence", Presence, [HttpMethods.Get]),
            Route("presence", "/api/presence", Presence, [HttpMethods.Post]),
            Route("history-of-room", "/api/rooms/{room}/messages", Persistence, [HttpMethods.Get]),
            Route("members", "/api/rooms/{room}/members", Persistence, [HttpMethods.Get]),
            Route("rooms", "/api/rooms", Persistence, [HttpMethods.Get]),
            Route("create-room", "/api/rooms", Connection, [HttpMethods.Post]),
            Route("room", "/api/rooms/{room}", Persistence, [HttpMethods.Get]),
            Route("change-room", "/api/rooms/{room}", Connection, [HttpMethods.Patch, HttpMethods.Delete]),
            Route("change-member", "/api/rooms/{room}/members/{user}", Connection, [HttpMethods.Put, HttpMethods.Delete]),
            Route("bans", "/api/rooms/{room}/bans", Persistence, [HttpMethods.Get]),
            Route("change-ban", "/api/rooms/{room}/bans/{user}", Connection, [HttpMethods.Put, HttpMethods.Delete]),
            Route("change-mute", "/api/rooms/{room}/mutes/{user}", Connection, [HttpMethods.Put, HttpMethods.Delete]),
            Route("rooms-for-admins", "/api/admin/rooms", Persistence, [HttpMethods.Get], policy: ChatPolicies.Admin),
            Route("admin-room", "/api/admin/rooms/{room}", Connection, [HttpMethods.Put, HttpMethods.Patch, HttpMethods.Delete], policy: ChatPolicies.Admin),
            Route("admin-members", "/api/admin/rooms/{room}/members", Connection, [HttpMethods.Post], policy: ChatPolicies.Admin),
            Route("admin-member", "/api/admin/rooms/{room}/members/{user}", Connection, [HttpMethods.Put, HttpMethods.Delete], policy: ChatPolicies.Admin),
            Route("admin-bans", "/api/admin/rooms/{room}/bans", Persistence, [HttpMethods.Get], policy: ChatPolicies.Admin),
            Route("admin-ban", "/api/admin/rooms/{room}/bans/{user}", Connection, [HttpMethods.Put, HttpMethods.Delete], policy: ChatPolicies.Admin),
            Route("admin-mute", "/api/admin/rooms/{room}/mutes/{user}", Connection, [HttpMethods.Put, HttpMethods.Delete], policy: ChatPolicies.Admin),
            Route("admin-send", "/api/admin/rooms/{room}/messages", Connection, [HttpMethods.Post], policy: ChatPolicies.Admin),
            Route("admin-delete", "/api/admin/rooms/{room}/messages/{seq}", Connection, [HttpMethods.Delete], policy: ChatPolicies.Admin),
            Route("admin-tell", "/api/admin/dms/{user}/messages", Connection, [HttpMethods.Post], policy: ChatPolicies.Admin),
            Route("history-of-direct-messages", "/api/dms/{user}/messages", Persistence, [HttpMethods.Get]),
            Route("conversations", "/api/conversations", Persistence, [HttpMethods.Get]),
            Route("search", "/api/search", Persistence, [HttpMethods.Get]),
        ];
        Clusters =
        [
            Cluster(Connection, options.Value),
            Cluster(Presence, options.Value),
            Cluster(Persistence, options.Value),
        ];
    }

    private readonly RouteConfig[] _routes;

    IReadOnlyList<RouteConfig> IProxyConfig.Routes => _routes;

    public IReadOnlyList<ClusterConfig> Clusters { get; }

    /// <summary>Routes never change while the gateway runs. Destinations do, and the resolver has a token of its own for that.</summary>
    public IChangeToken ChangeToken { get; } = new CancellationChangeToken(CancellationToken.None);

    public IProxyConfig GetConfig() => this;

    /// <summary>The route of long-lived sockets, whose options differ from those of calls.</summary>
    public static bool IsSocket(RouteConfig route) => route.RouteId == SocketRoute;

    /// <summary>The route of the calls that lead to sockets past the gateway.</summary>
    public static bool IsTicket(RouteConfig route) => route.RouteId == TicketRoute;

    private static RouteConfig Route(
        string id, string path, string cluster, string[]? methods, string policy = AnyUser) =>
        new()
        {
            RouteId = id,
            ClusterId = cluster,
            Match = new RouteMatch { Path = path, Methods = methods },
            AuthorizationPolicy = policy,
        };

    private static ClusterConfig Cluster(string service, GatewayOptions options) => new()
    {
        ClusterId = service,
        Destinations = new Dictionary<string, DestinationConfig> { [service] = new() { Address = $"http://{service}" } },
        LoadBalancingPolicy = service == Connection ? FewestSockets.PolicyName : LoadBalancingPolicies.LeastRequests,
        HttpRequest = new ForwarderRequestConfig
        {
            Version = System.Net.HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            // Sockets and HTTP sends share a cluster, so the longer time must count. The service has a deadline of its own for sends.
            ActivityTimeout = service == Connection ? options.SocketIdleTimeout : options.ApiIdleTimeout,
            AllowResponseBuffering = false,
        },
        HealthCheck = new HealthCheckConfig
        {
            // When all are unhealthy, none is asked: a replica that says so cannot serve, and a 503 tells the client when to come back.
            AvailableDestinationsPolicy = HealthCheckConstants.AvailableDestinations.HealthyAndUnknown,
            Active = new ActiveHealthCheckConfig
            {
                Enabled = true,
                Interval = options.HealthInterval,
                Timeout = options.HealthTimeout,
                Path = "/health",
                Policy = ProbedHealth.PolicyName,
            },
            Passive = new PassiveHealthCheckConfig
            {
                Enabled = true,
                Policy = RefusedConnections.PolicyName,
                ReactivationPeriod = options.HealthInterval * 2,
            },
        },
    };
}

internal static class ReverseProxyFeatureExtensions
{
    public static bool IsSocket(this IReverseProxyFeature proxy) => Routes.IsSocket(proxy.Route.Config);
}
