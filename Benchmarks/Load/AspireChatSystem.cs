using System.Security.Cryptography;
using System.Text;
using AspireChat.Servers;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// AspireChat as its AppHost describes it, in Production, on servers with empty data. Each program gets the variables that the AppHost
/// would give it, but no host stands between: the addresses are the processes' own. Limits per user are lifted, because a few users make
/// all of the load here.
/// </summary>
internal sealed class AspireChatSystem : SystemUnderTest
{
    private readonly Dictionary<Uri, ServerProcess> _nodes = [];
    private readonly string _key = Convert.ToHexString(RandomNumberGenerator.GetBytes(48));
    private ServerProcess? _presence;

    private AspireChatSystem(string name, string? build) : base(name, new AspireChatDialect(), build)
    {
    }

    /// <summary>The connection string that the services get.</summary>
    public string RedisConnection { get; private set; } = "";

    public string PostgresConnection { get; private set; } = "";

    /// <summary>Starts the system and blocks until it is healthy.</summary>
    /// <param name="environment">Variables for every service. Those that this system sets override them.</param>
    /// <param name="build">The root of another checkout whose built programs run; null for this one's.</param>
    public static AspireChatSystem Start(
        string name, IReadOnlyDictionary<string, string> environment, string? build = null, SystemChanges? changes = null) =>
        StartAsync(new AspireChatSystem(name, build), system => system.StartAsync(environment, changes ?? new SystemChanges()))
            .GetAwaiter().GetResult();

    /// <summary>kill -9 of one of <see cref="SystemUnderTest.Nodes"/>, which is not started again.</summary>
    public void KillNode(Uri node) => _nodes[node].KillAsync().GetAwaiter().GetResult();

    /// <summary>kill -9 of PresenceService, which is not started again.</summary>
    public void KillPresence() => _presence!.KillAsync().GetAwaiter().GetResult();

    /// <summary>
    /// A token that lives for a day (HS256). It is signed here, because asking for thousands of tokens would add to the load.
    /// </summary>
    public override string Token(string user) => Token(user, scope: null);

    public string Token(string user, string? scope)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var more = scope is null ? "" : $",\"scope\":\"{scope}\"";
        var signed = Base64("""{"alg":"HS256","typ":"JWT"}""") + "." + Base64(
            $$"""{"sub":"{{user}}","iss":"aspirechat","aud":"aspirechat","nbf":{{now - 60}},"iat":{{now - 60}},"exp":{{now + 86_400}}{{more}}}""");
        return $"{signed}.{Base64(HMACSHA256.HashData(Encoding.UTF8.GetBytes(_key), Encoding.ASCII.GetBytes(signed)))}";
    }

    private async Task StartAsync(IReadOnlyDictionary<string, string> environment, SystemChanges changes)
    {
        var redis = await StartRedisAsync([]);
        var postgres = await StartPostgresAsync("chatdb");
        (RedisConnection, PostgresConnection) = (redis.ConnectionString, postgres.ConnectionString);
        await (changes.Prepare?.Invoke(postgres.ConnectionString) ?? Task.CompletedTask);
        Uri[] nodes = [FreeAddress(), FreeAddress()];
        var (persistence, presence, gateway) = (FreeAddress(), FreeAddress(), FreeAddress());
        var settings = new Dictionary<string, string>(environment) { ["Jwt__Key"] = _key };
        var onRedis = new Dictionary<string, string>(settings) { ["ConnectionStrings__redis"] = redis.ConnectionString };

        await StartProgramAsync(Role.Persistence, "PersistenceService", persistence, new Dictionary<string, string>(onRedis)
        {
            ["ConnectionStrings__chatdb"] = postgres.ConnectionString,
        });
        _presence = await StartProgramAsync(Role.Presence, "PresenceService", presence, onRedis);
        foreach (var (index, node) in nodes.Index())
        {
            _nodes[node] = await StartProgramAsync(Role.Node, "ConnectionService", node, new Dictionary<string, string>(onRedis)
            {
                ["ConnectionStrings__redis"] = changes.RedisOfNode?.Invoke(index, redis.ConnectionString) ?? redis.ConnectionString,
                [ServiceAddress("presence")] = Text(presence),
                [ServiceAddress("persistence")] = Text(persistence),
                ["Sockets__EventsPerSecond"] = "100000",
                ["Sockets__EventBurst"] = "100000",
                ["Sockets__FramesPerSecond"] = "100000",
                ["Sockets__FrameBurst"] = "100000",
            });
        }
        await StartProgramAsync(Role.Gateway, "Gateway", gateway, new Dictionary<string, string>(settings)
        {
            [ServiceAddress("connection", 0)] = Text(nodes[0]),
            [ServiceAddress("connection", 1)] = Text(nodes[1]),
            [ServiceAddress("presence")] = Text(presence),
            [ServiceAddress("persistence")] = Text(persistence),
            ["Gateway__RateLimits__Enabled"] = "false",
        });
        (Nodes, Gateway) = (nodes, gateway);
    }

    private static string ServiceAddress(string service, int index = 0) => $"services__{service}__http__{index}";

    private static string Text(Uri address) => address.GetLeftPart(UriPartial.Authority);

    private static string Base64(string text) => Base64(Encoding.UTF8.GetBytes(text));

    private static string Base64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
