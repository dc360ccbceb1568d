using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using AspireChat.PersistenceService.Writing;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>Measures of webhooks, by the number of each. Thread-safe.</summary>
internal sealed class WebhookMetrics
{
    private readonly ConcurrentDictionary<int, WebhookBacklog> _backlogs = new();
    private readonly Counter<long> _events;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _dead;
    private readonly Counter<long> _dropped;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _delay;

    public WebhookMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(WritingMetrics.MeterName);
        _events = meter.CreateCounter<long>("aspirechat.webhooks.events", "{event}", "Events that a receiver took");
        _failed = meter.CreateCounter<long>("aspirechat.webhooks.failed", "{call}", "Calls that no receiver took; they are repeated");
        _dead = meter.CreateCounter<long>("aspirechat.webhooks.dead", "{call}", "Calls that were given up and are dead letters");
        _dropped = meter.CreateCounter<long>("aspirechat.webhooks.dropped", "{event}", "Alarm: events that no webhook will be told");
        _duration = meter.CreateHistogram<double>("aspirechat.webhooks.duration", "s", "Time of one call");
        _delay = meter.CreateHistogram<double>("aspirechat.webhooks.delay", "s", "From the commit of a call's oldest event until it was taken");
        meter.CreateObservableGauge("aspirechat.webhooks.waiting", () => Measure(backlog => backlog.Events), "{event}", "Events that wait");
        meter.CreateObservableGauge(
            "aspirechat.webhooks.oldest", () => Measure(backlog => backlog.Age.TotalSeconds), "s", "Age of the oldest event that waits");
    }

    public void Taken(int webhook, int events, TimeSpan duration, TimeSpan delay)
    {
        _events.Add(events, Tag(webhook));
        _duration.Record(duration.TotalSeconds, Tag(webhook));
        _delay.Record(delay.TotalSeconds, Tag(webhook));
    }

    public void Failed(int webhook, TimeSpan duration)
    {
        _failed.Add(1, Tag(webhook));
        _duration.Record(duration.TotalSeconds, Tag(webhook));
    }

    public void Buried(int webhook) => _dead.Add(1, Tag(webhook));

    public void Dropped(long events) => _dropped.Add(events);

    public void Waiting(IReadOnlyDictionary<int, WebhookBacklog> backlogs)
    {
        foreach (var webhook in _backlogs.Keys.Except(backlogs.Keys))
        {
            _backlogs.TryRemove(webhook, out _);
        }

        foreach (var (webhook, backlog) in backlogs)
        {
            _backlogs[webhook] = backlog;
        }
    }

    private IEnumerable<Measurement<T>> Measure<T>(Func<WebhookBacklog, T> value) where T : struct =>
        _backlogs.Select(pair => new Measurement<T>(value(pair.Value), Tag(pair.Key)));

    private static KeyValuePair<string, object?> Tag(int webhook) => new("webhook", webhook);
}

/// <summary>What waits for one webhook, dead letters left out.</summary>
internal readonly record struct WebhookBacklog(long Events, TimeSpan Age);
