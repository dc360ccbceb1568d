using System.Collections.Concurrent;
using System.Net;
using System.Text;
using AspireChat.Contracts.Conversations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.Tracing;

/// <summary>Receives what services export by OTLP over HTTP, and keeps the bytes.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Signal, byte[] Body)> _received = [];

    private OtlpReceiver(WebApplication app)
    {
        _app = app;
        app.MapPost("/v1/{signal}", async (string signal, HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            _received.Enqueue((signal, body.ToArray()));
        });
    }

    public string Address => _app.Urls.First();

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var receiver = new OtlpReceiver(builder.Build());
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>The bytes of one signal: <c>traces</c>, <c>logs</c> or <c>metrics</c>.</summary>
    public long BytesOf(string signal) => _received.Where(each => each.Signal == signal).Sum(each => (long)each.Body.Length);

    /// <summary>Whether the text is anywhere in the exported bytes. Protobuf has texts as they are.</summary>
    public bool Contains(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return _received.Any(each => each.Body.AsSpan().IndexOf(bytes) >= 0);
    }

    /// <summary>
    /// All spans up to now, without those of this receiver's own requests. Sources belong to the process, so several services may export
    /// the same span; each is listed once.
    /// </summary>
    public IReadOnlyList<ExportedSpan> Spans() =>
        [.. _received.Where(each => each.Signal == "traces").SelectMany(each => ExportedSpan.ReadAll(each.Body))
            .Where(span => !span.Name.StartsWith("POST /v1/", StringComparison.Ordinal)).DistinctBy(span => span.Id)];

    /// <summary>All spans of the traces in which this conversation is named.</summary>
    public IReadOnlyList<ExportedSpan> SpansOf(ConversationKey conversation)
    {
        var spans = Spans();
        var traces = spans.Where(span => span.Text.Contains(conversation.Value, StringComparison.Ordinal)).Select(span => span.Trace).ToHashSet();
        return [.. spans.Where(span => traces.Contains(span.Trace))];
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
