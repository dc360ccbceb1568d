using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AspireChat.Benchmarks.Webhooks;

/// <summary>A receiver that takes everything at once and notes when it came. Thread-safe.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, long> _seqs = new();

    /// <summary>When an event was acknowledged or told, whichever came first.</summary>
    private readonly ConcurrentDictionary<Guid, long> _first = new();

    private ConcurrentBag<double> _delays = [];
    private long _told;
    private long _calls;
    private long _outOfOrder;

    private Receiver(WebApplication app) => _app = app;

    public string Url => _app.Urls.First() + "/hook";

    public long Told => Volatile.Read(ref _told);

    public long Calls => Volatile.Read(ref _calls);

    public long OutOfOrder => Volatile.Read(ref _outOfOrder);

    /// <summary>From acknowledgement to arrival, milliseconds.</summary>
    public IReadOnlyCollection<double> Delays => _delays;

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var receiver = new Receiver(builder.Build());
        receiver._app.MapPost("/hook", async (HttpContext context) =>
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            receiver.Take(body.RootElement.GetProperty("events"), Stopwatch.GetTimestamp());
        });
        await receiver._app.StartAsync();
        return receiver;
    }

    public void Reset()
    {
        _first.Clear();
        _seqs.Clear();
        _delays = [];
        (_told, _calls, _outOfOrder) = (0, 0, 0);
    }

    public void Acknowledged(Guid id) => _first.TryAdd(id, Stopwatch.GetTimestamp());

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private void Take(JsonElement events, long now)
    {
        Interlocked.Increment(ref _calls);
        foreach (var e in events.EnumerateArray())
        {
            var data = e.GetProperty("data");
            var id = data.GetProperty("id").GetGuid();
            // One that is told before its acknowledgement was seen here is not late.
            _delays.Add(_first.TryAdd(id, now) ? 0 : Stopwatch.GetElapsedTime(_first[id], now).TotalMilliseconds);
            var place = data.TryGetProperty("room", out var room) ? room.GetString()! : data.GetProperty("to").GetString()!;
            var seq = data.GetProperty("seq").GetInt64();
            if (_seqs.AddOrUpdate(place, seq, (_, last) => Math.Max(last, seq)) != seq)
            {
                Interlocked.Increment(ref _outOfOrder);
            }

            Interlocked.Increment(ref _told);
        }
    }
}
