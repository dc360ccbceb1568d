using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.Benchmarks.Persist;

/// <summary>A PersistenceService in this process, with what its own metrics say. Thread-safe.</summary>
internal sealed class MeasuredService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly MeterListener _listener = new();
    private long _written;
    private long _batches;

    public MeasuredService(WebApplication app)
    {
        _app = app;
        var meters = app.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Name == "aspirechat.persistence.entries")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) =>
        {
            Interlocked.Add(ref _written, value);
            Interlocked.Increment(ref _batches);
        });
        _listener.Start();
    }

    /// <summary>Records that have been committed.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>Transactions so far.</summary>
    public long Batches => Volatile.Read(ref _batches);

    /// <summary>Waits until this many records are committed, or until the time is over.</summary>
    public async Task WaitAsync(long written, TimeSpan atMost)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (Written < written && TimeProvider.System.GetElapsedTime(started) < atMost)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _listener.Dispose();
    }
}
