using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.Webhooks;

/// <summary>A product's server on a free port: it keeps each call, and answers as a test says.</summary>
internal sealed class HookServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<HookCall> _calls = new();

    private HookServer(WebApplication app) => _app = app;

    public string Url => _app.Urls.First() + "/hook";

    public int Port => new Uri(Url).Port;

    /// <summary>In the order of arrival.</summary>
    public IReadOnlyList<HookCall> Calls => [.. _calls];

    /// <summary>Those that were answered by 200.</summary>
    public IEnumerable<HookCall> Taken => _calls.Where(call => call.Status == 200);

    /// <summary>The events of the calls that were taken.</summary>
    public List<JsonObject> Events => [.. Taken.SelectMany(call => call.Events)];

    /// <param name="answer">Gives the status of a call. It may answer by itself and give 0.</param>
    public static async Task<HookServer> StartAsync(Func<HookCall, HttpContext, Task<int>>? answer = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Logging.ClearProviders();
        var server = new HookServer(builder.Build());
        server._app.MapPost("/hook", async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
            var call = new HookCall(await reader.ReadToEndAsync(context.RequestAborted), new HeaderDictionary(context.Request.Headers.ToDictionary()));
            server._calls.Enqueue(call);
            call.Status = answer is null ? 200 : await answer(call, context);
            if (call.Status != 0)
            {
                context.Response.StatusCode = call.Status;
            }
        });
        await server._app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }
}

internal sealed class HookCall(string body, IHeaderDictionary headers)
{
    public string Body => body;

    public IHeaderDictionary Headers => headers;

    public string Id => headers["webhook-id"].ToString();

    public int Status { get; set; }

    public JsonObject Json => JsonNode.Parse(body)!.AsObject();

    public IReadOnlyList<JsonObject> Events => [.. Json["events"]!.AsArray().Select(e => e!.AsObject())];

    public string? Room => (string?)Events[0]["data"]!["room"];
}
