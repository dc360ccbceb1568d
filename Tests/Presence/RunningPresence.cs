using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AspireChat.ConnectionService.Presence;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.PresenceService;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.Servers;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace AspireChat.Tests.Presence;

/// <summary>The real PresenceService with the real clock and its loop, on a free port of 127.0.0.1.</summary>
internal sealed class RunningPresence : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RunningPresence(WebApplication app)
    {
        _app = app;
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Http { get; }

    public string Address => Http.BaseAddress!.ToString();

    /// <summary>Short times for tests, in the same proportions as the defaults.</summary>
    public static Dictionary<string, string?> Settings { get; } = new()
    {
        ["Jwt:Key"] = TestTokens.Key,
        ["Presence:Lease"] = "00:00:02",
        ["Presence:Grace"] = "00:00:01",
        ["Presence:Settle"] = "00:00:01",
        ["Presence:DiffInterval"] = "00:00:00.2",
        ["PresenceReporting:Renewal"] = "00:00:00.3",
        ["PresenceReporting:Gather"] = "00:00:00.02",
        ["PresenceReporting:Interval"] = "00:00:00.05",
    };

    /// <param name="port">The port of an earlier run to use again; 0 for a free one.</param>
    public static async Task<RunningPresence> StartAsync(RedisServer server, int port = 0)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(Settings);
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        builder.Configuration["ConnectionStrings:redis"] = server.ConnectionString;
        builder.AddPresenceService();
        var app = builder.Build();
        app.MapPresenceService();
        await app.StartAsync();
        await LearnAsync(server, app.Services.GetRequiredService<UserOrders>());
        return new RunningPresence(app);
    }

    /// <summary>
    /// Lets the service learn that no token was revoked: all partitions are open for a moment. Closed again, they leave memberships to the
    /// reports of the tests.
    /// </summary>
    private static async Task LearnAsync(RedisServer server, UserOrders orders)
    {
        await using var redis = await server.ConnectAsync();
        RedisKey[] epochs = [.. Enumerable.Range(0, LogPartitions.Count).Select(partition => (RedisKey)RedisKeys.Epoch(partition))];
        await redis.GetDatabase().StringSetAsync([.. epochs.Select(key => KeyValuePair.Create(key, (RedisValue)"e1"))]);
        await Eventually.IsTrueAsync(async () => await AreKnownAsync(orders), "the service knows all revocations");
        await redis.GetDatabase().KeyDeleteAsync(epochs);
    }

    private static async Task<bool> AreKnownAsync(UserOrders orders)
    {
        for (var i = 0; i < 200; i++)
        {
            if (await orders.CheckAsync($"user-{i}", null) != RevocationState.Good)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Only the reporter of a ConnectionService, which finds this service by service discovery.</summary>
    public static async Task<(IHost Host, IPresenceReporter Reporter)> StartReplicaAsync(params string[] addresses)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(Settings);
        builder.Configuration.AddInMemoryCollection(
            addresses.Select((address, i) => KeyValuePair.Create($"services:presence:http:{i}", (string?)address)));
        builder.Logging.ClearProviders();
        builder.AddServiceDefaults();
        builder.AddChatAuthentication();
        builder.AddPresenceReporting();
        var host = builder.Build();
        await host.StartAsync();
        return (host, host.Services.GetRequiredService<IPresenceReporter>());
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token, object? body = null)
    {
        HttpContent content = body is string text ? new StringContent(text, null, "application/json") : JsonContent.Create(body);
        var request = new HttpRequestMessage(method, path) { Content = content };
        if (token is not null)
        {
            request.Headers.Authorization = new("Bearer", token);
        }

        return await Http.SendAsync(request);
    }

    public async Task<bool> IsOnlineAsync(string user)
    {
        using var response = await SendAsync(HttpMethod.Get, $"/api/users/{user}/presence", TestTokens.For("someone"));
        return response.IsSuccessStatusCode && (bool)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["online"]!;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
