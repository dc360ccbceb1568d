using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using AspireChat.Chaos.Stack;
using AspireChat.Contracts.Conversations;
using AspireChat.Tests.Gateway;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace AspireChat.Tests.Acceptance;

/// <summary>
/// The whole system as a newcomer starts it: the AppHost with a real Redis, a real PostgreSQL and two ConnectionService replicas. Tests
/// reach it only through the gateway. It starts once for all acceptance tests, and each test has users and rooms of its own.
/// <para>
/// Tests without the trait <c>Needs=AppHost</c> can also run against a deployed system, as deploy/rehearsal does with its containers. Then
/// <c>ASPIRECHAT_SYSTEM</c> is the gateway's address and <c>JWT_KEY</c> the key that signs the tokens.
/// <c>ConnectionStrings__redis</c> and <c>ConnectionStrings__chatdb</c> are those of the services.
/// </para>
/// </summary>
public sealed class ChatSystem : IAsyncLifetime
{
    private static readonly string? Deployed = Environment.GetEnvironmentVariable("ASPIRECHAT_SYSTEM");

    private RunningAppHost? _host;
    private HttpClient? _http;

    public Uri Gateway => Http.BaseAddress!;

    internal HttpClient Http => _http ?? throw new InvalidOperationException("The system is not started.");

    internal RunningAppHost Host => _host
        ?? throw new InvalidOperationException("The system is not started, or it is deployed and its processes are out of reach.");

    private DistributedApplication Application => Host.Application;

    public async Task InitializeAsync()
    {
        if (Deployed is not null)
        {
            _http = new HttpClient { BaseAddress = new Uri(Deployed) };
            return;
        }
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        _host = await RunningAppHost.StartAsync([], null, patience.Token);
        _http = Application.CreateHttpClient("gateway", "http");
    }

    public async Task DisposeAsync()
    {
        _http?.Dispose();
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    /// <summary>A name that no other test uses, e.g. <c>alice-3f2a…</c>.</summary>
    public static string Unique(string name) => $"{name}-{Guid.NewGuid().ToString("N")[..12]}";

    public async Task<string> TokenAsync(string user, string? scope = null, int? expiresIn = null, string? name = null)
    {
        if (Deployed is not null)
        {
            return TestTokens.For(
                user, scope, await JwtKeyAsync(), expiresIn: expiresIn ?? 600, name: name, issued: TimeProvider.System.GetUtcNow());
        }

        var body = new JsonObject { ["user"] = user };
        if (scope is not null)
        {
            body["scope"] = scope;
        }

        if (expiresIn is not null)
        {
            body["expiresIn"] = expiresIn;
        }

        if (name is not null)
        {
            body["name"] = name;
        }

        using var answer = await Http.PostAsJsonAsync("/dev/token", body);
        answer.EnsureSuccessStatusCode();
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!;
    }

    /// <summary>The connection string of the database or of Redis, for checks that the gateway does not allow.</summary>
    internal async Task<string> ConnectionStringAsync(string resource) => Deployed is not null
        ? Given($"ConnectionStrings__{resource}")
        : (await Application.GetConnectionStringAsync(resource))!;

    /// <summary>Where a service of the running system is, which clients reach only through the gateway.</summary>
    internal Uri AddressOf(string resource) => Application.GetEndpoint(resource, "http");

    /// <summary>The running system's signing key, which the AppHost or the operator made.</summary>
    internal async Task<string> JwtKeyAsync()
    {
        if (Deployed is not null)
        {
            return Given("JWT_KEY");
        }

        var model = Application.Services.GetRequiredService<DistributedApplicationModel>();
        var parameter = model.Resources.OfType<ParameterResource>().Single(resource => resource.Name == "jwt-key");
        return (await parameter.GetValueAsync(CancellationToken.None))!;
    }

    internal async Task<ChatSocket> ConnectAsync(string user) => await ChatSocket.ConnectAsync(Gateway, user, await TokenAsync(user));

    /// <summary>Connects until the gateway chooses a node other than <paramref name="node"/>, and waits for one that restarts.</summary>
    internal async Task<ChatSocket> ConnectElsewhereAsync(string user, string node)
    {
        // Sockets on the wrong node stay open meanwhile, because the gateway chooses the node with fewer sockets.
        var misses = new List<ChatSocket>();
        try
        {
            return (await EventuallyAsync(
                async () =>
                {
                    var socket = await ConnectAsync(user);
                    if (socket.Node != node)
                    {
                        return socket;
                    }

                    misses.Add(socket);
                    if (misses.Count > 10)
                    {
                        await misses[0].DisposeAsync();
                        misses.RemoveAt(0);
                    }
                    return null;
                },
                socket => socket is not null))!;
        }
        finally
        {
            foreach (var miss in misses)
            {
                await miss.DisposeAsync();
            }
        }
    }

    /// <summary>
    /// Connects as a client does after a fault. The gateway may not know yet which node is gone, or no node may be ready.
    /// </summary>
    internal async Task<ChatSocket> ReconnectAsync(string user) => (await EventuallyAsync(
        async () =>
        {
            try
            {
                return await ConnectAsync(user);
            }
            catch (Exception e) when (e is WebSocketException or HttpRequestException)
            {
                return null;
            }
        },
        socket => socket is not null))!;

    /// <summary>Waits until every partition of the log is open. After a fault some may be closed for a moment.</summary>
    internal async Task RecoveredAsync()
    {
        await using var socket = await ReconnectAsync(Unique("prober"));
        var open = new HashSet<int>();
        while (open.Count < LogPartitions.Count)
        {
            var room = Unique("probe");
            if (open.Add(ConversationKey.Room(room).Partition))
            {
                await socket.JoinAsync(room);
            }
        }
    }

    /// <summary>kill -9 of an instance.</summary>
    internal Task KillAsync(string instance) => PatientlyAsync(patience => Host.KillAsync(instance, patience));

    /// <summary>Starts a killed instance and returns when it is healthy.</summary>
    internal Task StartAsync(string instance) => PatientlyAsync(patience => Host.StartAsync(instance, patience));

    internal Task RestartAsync(string instance) => PatientlyAsync(patience => Host.RestartAsync(instance, patience));

    /// <summary>The ConnectionService replica with the name <paramref name="node"/>, which begins with the host's random part.</summary>
    internal string InstanceOf(string node) => Host.Instances("connection")
        .Single(instance => node.StartsWith(instance["connection-".Length..], StringComparison.Ordinal));

    /// <summary>Calls the HTTP API as a user and returns status and body.</summary>
    internal async Task<(int Status, JsonNode? Body)> CallAsync(string user, HttpMethod method, string path, object? body = null, string? scope = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(user, scope));
        using var answer = await Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, text.Length > 0 ? JsonNode.Parse(text) : null);
    }

    internal async Task<JsonNode> GetAsync(string user, string path)
    {
        var (status, body) = await CallAsync(user, HttpMethod.Get, path);
        Assert.True(status == 200, $"GET {path}: {status} {body}");
        return body!;
    }

    /// <summary>One value from PostgreSQL.</summary>
    internal async Task<T> QueryAsync<T>(string sql, params object[] arguments)
    {
        await using var source = NpgsqlDataSource.Create(await ConnectionStringAsync("chatdb"));
        await using var command = source.CreateCommand(sql);
        foreach (var argument in arguments)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = argument });
        }

        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Asks until the answer is right. A failure shows the last answer.</summary>
    internal static async Task<T> EventuallyAsync<T>(Func<Task<T>> ask, Func<T, bool> right)
    {
        using var patience = new CancellationTokenSource(ChatSocket.Patience);
        while (true)
        {
            var answer = await ask();
            if (right(answer))
            {
                return answer;
            }

            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Never came true within {ChatSocket.Patience.TotalSeconds} s; last answer: {answer}");
            }
        }
    }

    private static async Task PatientlyAsync(Func<CancellationToken, Task> act)
    {
        using var patience = new CancellationTokenSource(ChatSocket.Patience);
        await act(patience.Token);
    }

    private static string Given(string name) => Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException($"{name} is not set; ASPIRECHAT_SYSTEM needs it.");
}

/// <summary>All acceptance tests share one system and run one after another, because some break a part of it for a while.</summary>
[CollectionDefinition(Name)]
public sealed class ChatSystemDefinition : ICollectionFixture<ChatSystem>
{
    public const string Name = "system";
}
