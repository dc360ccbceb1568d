using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using AspireChat.Gateway;
using AspireChat.Gateway.Routing;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.Gateway;

/// <summary>The gateway itself, on a free port of 127.0.0.1, in front of the given backends.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly WebApplication _app;
    private readonly List<IDisposable> _opened = [];

    private RunningGateway(WebApplication app, CapturedLogs logs)
    {
        _app = app;
        Logs = logs;
        var plain = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        Http = new HttpClient(plain) { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Http { get; }

    public CapturedLogs Logs { get; }

    public IServiceProvider Services => _app.Services;

    public Uri Address => Http.BaseAddress!;

    public IConfigurationRoot Configuration => (IConfigurationRoot)_app.Configuration;

    /// <param name="connection">Replicas of the connection service; the other two services are this list's first.</param>
    /// <param name="settings">Configuration beyond the defaults of these tests.</param>
    /// <param name="environment">Development, unless the test is about another.</param>
    /// <param name="services">Replacements of what the gateway registered.</param>
    public static async Task<RunningGateway> StartAsync(
        IReadOnlyList<EchoBackend> connection,
        Dictionary<string, string?>? settings = null,
        string environment = "Development",
        Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            EnvironmentName = environment,
            ContentRootPath = AppContext.BaseDirectory,
        });
        Dictionary<string, string?> configuration = new()
        {
            ["Jwt:Key"] = TestTokens.Key,
            ["Gateway:HealthInterval"] = "00:00:00.1",
            ["Gateway:HealthTimeout"] = "00:00:02",
            ["Gateway:DnsRefresh"] = "00:00:00.1",
            ["Gateway:DrainTime"] = "00:00:00.1",
            ["Logging:LogLevel:Default"] = "Debug",
            ["Logging:LogLevel:Microsoft.AspNetCore"] = "Debug",
            ["Logging:LogLevel:Yarp"] = "Debug",
            ["Logging:Captured:LogLevel:Default"] = "Debug",
            ["Logging:Captured:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = "Debug",
        };
        for (var i = 0; i < connection.Count; i++)
        {
            configuration[$"services:connection:http:{i}"] = connection[i].Address;
        }

        if (connection.Count > 0)
        {
            configuration["services:presence:http:0"] = connection[0].Address;
            configuration["services:persistence:http:0"] = connection[0].Address;
        }
        foreach (var (key, value) in settings ?? [])
        {
            configuration[key] = value;
        }

        builder.Configuration.AddInMemoryCollection(configuration);
        builder.Logging.ClearProviders();
        var logs = new CapturedLogs();
        builder.Logging.AddProvider(logs);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));

        builder.AddServiceDefaults();
        builder.AddChatAuthentication();
        builder.AddGateway();
        // A machine's name server may take seconds to say that it knows no "connection".
        builder.Services.AddSingleton<INameLookup>(new FakeNames());
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapGateway();
        await app.StartAsync();
        return new RunningGateway(app, logs);
    }

    /// <summary>A WebSocket handshake by hand, so that a refusal can be looked at.</summary>
    public async Task<HttpResponseMessage> HandshakeAsync(string target, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, target);
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        _opened.Add(response);
        return response;
    }

    /// <summary>Opens a socket and reads the backend's first message.</summary>
    public async Task<(ClientWebSocket Socket, SeenRequest Seen)> ConnectAsync(
        string? target = null, Action<ClientWebSocketOptions>? options = null)
    {
        var socket = new ClientWebSocket();
        _opened.Add(socket);
        options?.Invoke(socket.Options);
        using var patience = new CancellationTokenSource(Patience);
        await socket.ConnectAsync(new Uri($"ws://{Address.Authority}{target ?? $"/ws?token={TestTokens.For("alice")}"}"), patience.Token);
        var buffer = new byte[16 * 1024];
        var message = await socket.ReceiveAsync(buffer, patience.Token);
        return (socket, JsonSerializer.Deserialize<SeenRequest>(buffer.AsSpan(0, message.Count))!);
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string target, string? token = null, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method, target) { Content = content };
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        }

        return await Http.SendAsync(request);
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var each in _opened)
        {
            each.Dispose();
        }

        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
