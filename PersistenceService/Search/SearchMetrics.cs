using System.Diagnostics.Metrics;
using AspireChat.PersistenceService.Writing;

namespace AspireChat.PersistenceService.Search;

/// <summary>Measures of the search. Thread-safe.</summary>
internal sealed class SearchMetrics
{
    private readonly Counter<long> _indexed;
    private readonly Counter<long> _tooSlow;

    public SearchMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(WritingMetrics.MeterName);
        _indexed = meter.CreateCounter<long>("aspirechat.search.indexed", "{event}", "Committed events read for the index of words");
        _tooSlow = meter.CreateCounter<long>("aspirechat.search.too_slow", "{search}", "Searches given up because they took too long");
    }

    public void Indexed(int events) => _indexed.Add(events);

    public void TooSlow() => _tooSlow.Add(1);
}
