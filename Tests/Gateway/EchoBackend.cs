using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.Gateway;

/// <summary>What a service behind the gateway saw of a request.</summary>
public sealed record SeenRequest(string Backend, string Method, string RawTarget, Dictionary<string, string> Headers);

/// <summary>
/// A real server on 127.0.0.1 that tells what it was asked, echoes on sockets, and can say that it is not ready. It keeps what it saw.
/// </summary>
internal sealed class EchoBackend : IAsyncDisposable
{
    /// <summary>Bytes of the answer at <c>/api/rooms/large/members</c>: more than all sockets on the way hold.</summary>
    public const int LargeAnswer = 32 * 1024 * 1024;

    private readonly WebApplication _app;
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _badProbes;
    private int _probes;
    private int _sockets;

    private EchoBackend(string name, WebApplication app) => (Name, _app) = (name, app);

    public string Name { get; }

    public string Address => _app.Urls.First();

    public int Port => new Uri(Address).Port;

    public bool IsReady { get; set; } = true;

    /// <summary>Set: sockets are refused with this text and 503.</summary>
    public string? Refusal { get; set; }

    public int Probes => Volatile.Read(ref _probes);

    /// <summary>Sockets that are open now.</summary>
    public int Sockets => Volatile.Read(ref _sockets);

    public ConcurrentQueue<SeenRequest> Seen { get; } = new();

    public static async Task<EchoBackend> StartAsync(
        string name = "backend", string listen = "127.0.0.1", int port = 0, TimeSpan? ping = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Parse(listen), port));
        var app = builder.Build();
        var backend = new EchoBackend(name, app);
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = ping ?? Timeout.InfiniteTimeSpan });
        app.MapGet("/health", () =>
        {
            Interlocked.Increment(ref backend._probes);
            var isBad = Interlocked.Decrement(ref backend._badProbes) >= 0;
            return Results.StatusCode(backend.IsReady && !isBad ? 200 : 503);
        });
        app.Map("/ws", backend.EchoAsync);
        app.MapGet("/api/rooms/slow/members", backend.TrickleAsync);
        app.MapGet("/api/rooms/large/members", () => Results.Bytes(new byte[LargeAnswer]));
        app.MapFallback(context => context.Response.WriteAsJsonAsync(backend.See(context.Request)));
        await app.StartAsync();
        return backend;
    }

    /// <summary>Fails that many probes from now on.</summary>
    public void FailProbes(int count) => Volatile.Write(ref _badProbes, count);

    /// <summary>True: handshakes of sockets wait for <see cref="Release"/>.</summary>
    public bool HoldsSockets { get; set; }

    /// <summary>Lets the second half of <c>/api/rooms/slow/members</c> go.</summary>
    public void Release() => _release.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        // Cut, not drained: what a killed replica does.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private SeenRequest See(HttpRequest request)
    {
        var seen = new SeenRequest(
            Name,
            request.Method,
            request.HttpContext.Features.Get<IHttpRequestFeature>()!.RawTarget,
            request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase));
        Seen.Enqueue(seen);
        return seen;
    }

    /// <summary>The first message tells what was seen; then every message comes back.</summary>
    private async Task EchoAsync(HttpContext context)
    {
        var seen = See(context.Request);
        if (HoldsSockets)
        {
            await _release.Task.WaitAsync(context.RequestAborted);
        }

        if (Refusal is { } refusal)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "7";
            await context.Response.WriteAsync(refusal, context.RequestAborted);
            return;
        }
        var protocol = context.WebSockets.WebSocketRequestedProtocols.Contains("aspirechat.v1") ? "aspirechat.v1" : null;
        using var socket = await context.WebSockets.AcceptWebSocketAsync(protocol);
        Interlocked.Increment(ref _sockets);
        try
        {
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(seen), WebSocketMessageType.Text, true, context.RequestAborted);
            var buffer = new byte[4096];
            while (true)
            {
                var message = await socket.ReceiveAsync(buffer, context.RequestAborted);
                if (message.MessageType == WebSocketMessageType.Close)
                {
                    break;
                }

                await socket.SendAsync(
                    buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, context.RequestAborted);
            }
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or IOException)
        {
        }
        finally
        {
            Interlocked.Decrement(ref _sockets);
        }
    }

    private async Task TrickleAsync(HttpContext context)
    {
        See(context.Request);
        await context.Response.WriteAsync("first,", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await _release.Task.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync("second", context.RequestAborted);
    }
}
