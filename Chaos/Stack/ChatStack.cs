using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using AspireChat.Chaos.Faults;
using AspireChat.Chaos.Ledgers;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.Chaos.Stack;

/// <summary>
/// The whole system as the AppHost describes it, with fault proxies between the services and their servers and between clients and gateway.
/// The services find the proxies in their connection strings. Limits are raised so that one machine can act as many users.
/// </summary>
internal sealed partial class ChatStack : IAsyncDisposable
{
    private static readonly Dictionary<string, string> Settings = new()
    {
        ["Gateway__RateLimits__Enabled"] = "false",
        ["Sockets__EventsPerSecond"] = "100000",
        ["Sockets__EventBurst"] = "100000",
        ["Sockets__FramesPerSecond"] = "100000",
        ["Sockets__FrameBurst"] = "100000",
        ["Sockets__ConnectionsPerUser"] = "2000",
    };

    private readonly HttpClient _http;

    private ChatStack(RunningAppHost host, IReadOnlyDictionary<string, TcpFaultProxy> links)
    {
        Host = host;
        Links = links;
        Gateway = host.Application.GetEndpoint("gateway", "http");
        _http = new HttpClient { BaseAddress = Gateway };
        links[FaultPlan.Clients].Target = Gateway.Port;
        GatewayThroughLink = new UriBuilder(Gateway) { Port = links[FaultPlan.Clients].Port }.Uri;
    }

    public RunningAppHost Host { get; }

    public Uri Gateway { get; }

    public Uri GatewayThroughLink { get; }

    /// <summary>The proxies by their far end: <c>redis</c>, <c>postgres</c>, and <see cref="FaultPlan.Clients"/> for the gateway.</summary>
    public IReadOnlyDictionary<string, TcpFaultProxy> Links { get; }

    /// <param name="settings">Further settings of the AppHost, as on its command line.</param>
    public static async Task<ChatStack> StartAsync(CancellationToken cancellationToken, params string[] settings)
    {
        var links = new Dictionary<string, TcpFaultProxy> { ["redis"] = new(), ["postgres"] = new(), [FaultPlan.Clients] = new() };
        var host = await RunningAppHost.StartAsync(
            ["Servers=processes", .. settings], // A container has no process id to signal.
            builder =>
            {
                foreach (var project in builder.Resources.OfType<ProjectResource>().Where(project => project.Name != "demo"))
                {
                    builder.CreateResourceBuilder(project).WithEnvironment(async context =>
                    {
                        foreach (var (name, value) in Settings)
                        {
                            context.EnvironmentVariables[name] = value;
                        }

                        await RerouteAsync(context, "ConnectionStrings__redis", links["redis"]);
                        await RerouteAsync(context, "ConnectionStrings__chatdb", links["postgres"]);
                    });
                }
            },
            cancellationToken);
        return new ChatStack(host, links);
    }

    public async Task<string> TokenAsync(string user, CancellationToken cancellationToken)
    {
        using var answer = await _http.PostAsJsonAsync("/dev/token", new { user, expiresIn = 24 * 3600 }, cancellationToken);
        answer.EnsureSuccessStatusCode();
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        return body.GetProperty("token").GetString()!;
    }

    /// <summary>Connects to the server directly, past the proxies.</summary>
    public async Task<ConnectionMultiplexer> RedisAsync()
    {
        var options = ConfigurationOptions.Parse((await Host.Application.GetConnectionStringAsync("redis"))!);
        options.AbortOnConnectFail = false;
        options.AllowAdmin = true;
        return await ConnectionMultiplexer.ConnectAsync(options);
    }

    /// <summary>
    /// The name of an instance: its resource's name, with a number where the resource has several instances: <c>connection-0</c>.
    /// </summary>
    public string Instance(string target)
    {
        var number = target.LastIndexOf('-');
        return number < 0
            ? Host.Instances(target).Single()
            : Host.Instances(target[..number])[int.Parse(target.AsSpan(number + 1), CultureInfo.InvariantCulture)];
    }

    /// <summary>All events of the conversations in PostgreSQL, in the order of seq.</summary>
    public async Task<Dictionary<string, IReadOnlyList<Stored>>> StoredAsync(
        IReadOnlyCollection<string> conversations, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create((await Host.Application.GetConnectionStringAsync("chatdb", cancellationToken))!);
        await using var command = source.CreateCommand(
            """
            SELECT conversation, epoch, seq, id, sender, nonce, CASE WHEN kind <= 1 AND edited IS NULL AND deleted IS NULL THEN content END
            FROM events WHERE conversation = ANY($1) ORDER BY conversation, seq
            """);
        command.CommandTimeout = 120;
        command.Parameters.Add(new NpgsqlParameter { Value = conversations.ToArray() });
        var found = conversations.ToDictionary(conversation => conversation, _ => new List<Stored>());
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var content = await rows.IsDBNullAsync(6, cancellationToken) ? 0 : ContentHash.Of(rows.GetString(6));
            found[rows.GetString(0)].Add(new Stored(
                rows.GetString(1), rows.GetInt64(2), rows.GetGuid(3), rows.GetString(4), rows.GetString(5), content));
        }
        return found.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<Stored>)entry.Value);
    }

    public async Task<long> StoredCountAsync(CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create((await Host.Application.GetConnectionStringAsync("chatdb", cancellationToken))!);
        await using var command = source.CreateCommand("SELECT count(*) FROM events");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Events that wait for webhooks.</summary>
    public async Task<long> UntoldAsync(CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create((await Host.Application.GetConnectionStringAsync("chatdb", cancellationToken))!);
        await using var command = source.CreateCommand("SELECT (SELECT count(*) FROM webhook_outbox) + (SELECT count(*) FROM webhook_batches)");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The epochs in force, read before a wipe destroys them, and the number of dead letters.</summary>
    public static async Task<IReadOnlyList<string>> EpochsAsync(IDatabase redis)
    {
        var keys = Enumerable.Range(0, LogPartitions.Count).Select(partition => (RedisKey)RedisKeys.Epoch(partition)).ToArray();
        return [.. (await redis.StringGetAsync(keys)).Where(epoch => !epoch.IsNull).Select(epoch => (string)epoch!)];
    }

    public static async Task<long> BuriedAsync(IDatabase redis)
    {
        var buried = 0L;
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            buried += await redis.StreamLengthAsync(RedisKeys.DeadLetters(partition));
        }

        return buried;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Host.DisposeAsync();
        foreach (var link in Links.Values)
        {
            await link.DisposeAsync();
        }
    }

    /// <summary>Puts the link's port into a connection string, and gives the link the server's port that stood there.</summary>
    private static async Task RerouteAsync(EnvironmentCallbackContext context, string variable, TcpFaultProxy link)
    {
        if (!context.EnvironmentVariables.TryGetValue(variable, out var value))
        {
            return;
        }

        var text = value is IValueProvider provider ? await provider.GetValueAsync(context.CancellationToken) : value as string;
        if (text is null || PortOf().Match(text) is not { Success: true } match)
        {
            throw new InvalidOperationException($"{variable} has no port.");
        }

        var port = match.Groups[1];
        link.Target = int.Parse(port.Value, CultureInfo.InvariantCulture);
        context.EnvironmentVariables[variable] =
            text[..port.Index] + link.Port.ToString(CultureInfo.InvariantCulture) + text[(port.Index + port.Length)..];
    }

    [GeneratedRegex("^(?:localhost:|Host=localhost;Port=)([0-9]+)", RegexOptions.CultureInvariant)]
    private static partial Regex PortOf();
}
