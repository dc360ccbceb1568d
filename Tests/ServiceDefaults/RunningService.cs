using System.Net;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.ServiceDefaults;

/// <summary>A service with nothing but the service defaults, on a free port of 127.0.0.1.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private RunningService(WebApplication app, CapturedLogs logs)
    {
        App = app;
        Logs = logs;
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public WebApplication App { get; }

    public CapturedLogs Logs { get; }

    public HttpClient Http { get; }

    public static async Task<RunningService> StartAsync(
        Action<WebApplicationBuilder>? build = null, Action<WebApplication>? map = null, Dictionary<string, string?>? settings = null,
        bool isVerbose = true)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Configuration.AddInMemoryCollection([new("Jwt:Key", TestTokens.Key)]);
        if (isVerbose)
        {
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Logging:LogLevel:Default"] = "Debug",
            ["Logging:LogLevel:Microsoft.AspNetCore"] = "Debug",
            ["Logging:Captured:LogLevel:Default"] = "Debug",
            ["Logging:Captured:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = "Trace",
        });
        }

        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.Logging.ClearProviders();
        var logs = new CapturedLogs();
        builder.Logging.AddProvider(logs);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.AddServiceDefaults();
        builder.AddChatAuthentication();
        build?.Invoke(builder);
        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/anyone", () => "hello");
        app.MapGet("/user", (HttpContext context) => ChatUser.From(context.User).Id).RequireAuthorization();
        app.MapGet("/admin", (HttpContext context) => ChatUser.From(context.User).Id).RequireAuthorization(ChatPolicies.Admin);
        app.MapGet("/internal/name", (HttpContext context) => context.User.FindFirst("sub")!.Value)
            .RequireAuthorization(ChatPolicies.Internal);
        map?.Invoke(app);
        await app.StartAsync();
        return new RunningService(app, logs);
    }

    public async Task<HttpResponseMessage> GetAsync(string target, string? token = null, HttpMethod? method = null)
    {
        var request = new HttpRequestMessage(method ?? HttpMethod.Get, target);
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        }

        return await Http.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
    }
}
