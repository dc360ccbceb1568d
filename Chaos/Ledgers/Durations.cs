using System.Collections.Concurrent;
using System.Globalization;

namespace AspireChat.Chaos.Ledgers;

/// <summary>How long things took, by name. Thread-safe.</summary>
internal sealed class Durations
{
    private readonly ConcurrentDictionary<string, ConcurrentBag<double>> _samples = new();

    public void Add(string name, TimeSpan duration) => _samples.GetOrAdd(name, _ => []).Add(duration.TotalMilliseconds);

    public IReadOnlyList<string> Names => [.. _samples.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The smallest sample that at least this share (0–1) of all samples do not exceed; null without samples.</summary>
    public double? Percentile(string name, double share)
    {
        if (!_samples.TryGetValue(name, out var bag) || bag.IsEmpty)
        {
            return null;
        }

        var sorted = bag.Order().ToList();
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)];
    }

    public int Count(string name) => _samples.TryGetValue(name, out var bag) ? bag.Count : 0;

    public string Line(string name)
    {
        var (median, high, worst) = (Percentile(name, 0.5), Percentile(name, 0.99), Percentile(name, 1));
        return string.Create(
            CultureInfo.InvariantCulture, $"p50 {median,6:0} ms   p99 {high,6:0} ms   worst {worst,6:0} ms   of {_samples[name].Count}");
    }
}
