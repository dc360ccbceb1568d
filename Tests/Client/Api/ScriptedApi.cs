using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.Client.Api;

/// <summary>A call as it arrived.</summary>
/// <param name="Path">With the query, as it stood in the request line.</param>
internal sealed record ArrivedCall(string Method, string Path, string Token, string Body)
{
    public override string ToString() => $"{Method} {Path}";
}

/// <summary>
/// An HTTP server on a real socket that answers calls as it is told: first with the scripted answers, one each, then with
/// <see cref="Always"/>.
/// </summary>
internal sealed class ScriptedApi : IAsyncDisposable
{
    /// <summary>Satisfies every call of the API.</summary>
    public const string Anything =
        """
        {"items":[],"next":null,"profiles":{},"epoch":"e1","head":0,"room":"tea","user":"bob","role":"member","visibility":"public",
         "sending":"members","members":2,"joined":true,"id":"i1","status":"done","erased":0,"nonce":"n1","seq":1,
         "timestamp":"2026-01-31T23:59:59.123Z","online":true,"lastSeen":null}
        """;

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<RequestDelegate> _script = new();

    private ScriptedApi(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    public ConcurrentQueue<ArrivedCall> Calls { get; } = new();

    public RequestDelegate Always { get; set; } = Json(200, Anything);

    public static async Task<ScriptedApi> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        var app = builder.Build();
        var api = new ScriptedApi(app);
        app.Run(api.AnswerAsync);
        await app.StartAsync();
        api.Address = new Uri(app.Urls.First());
        return api;
    }

    public ScriptedApi Then(RequestDelegate answer)
    {
        _script.Enqueue(answer);
        return this;
    }

    public static RequestDelegate Json(int status, string body, params (string Name, string Value)[] headers) => async context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = status < 400 ? "application/json" : "application/problem+json";
        foreach (var (name, value) in headers)
        {
            context.Response.Headers[name] = value;
        }

        await context.Response.WriteAsync(body, context.RequestAborted);
    };

    public static RequestDelegate Refuse(int status, string? code = null, string? retryAfter = null) => Json(
        status,
        code is null ? """{"title":"refused"}""" : $$"""{"title":"refused","status":{{status}},"detail":"because of {{code}}","code":"{{code}}"}""",
        retryAfter is null ? [] : [("Retry-After", retryAfter)]);

    public static RequestDelegate Status(int status) => context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>The connection breaks before an answer begins.</summary>
    public static RequestDelegate Cut { get; } = context =>
    {
        context.Abort();
        return Task.CompletedTask;
    };

    /// <summary>No answer, until the client gives up.</summary>
    public static RequestDelegate Silence { get; } = async context =>
    {
        var gone = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    };

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        Calls.Enqueue(new ArrivedCall(
            context.Request.Method, context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal),
            await reader.ReadToEndAsync(context.RequestAborted)));
        await (_script.TryDequeue(out var scripted) ? scripted : Always)(context);
    }
}
