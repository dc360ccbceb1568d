using System.Collections.Concurrent;
using System.Globalization;

namespace AspireChat.Chaos.Ledgers;

/// <summary>What can be wrong with a delivery. Each of them fails a run.</summary>
internal enum Breach
{
    /// <summary>An event was acknowledged or delivered to one reader, and is missing elsewhere.</summary>
    Lost,

    /// <summary>One reader saw an event twice, or one send became two events.</summary>
    Duplicated,

    /// <summary>An event came after one with a higher seq, or two sends of one connection changed places.</summary>
    Inverted,

    /// <summary>A reader got no event for a seq and was not told of a gap.</summary>
    SilentGap,

    /// <summary>Two events have the same conversation, epoch and seq.</summary>
    Conflict,

    /// <summary>An event was delivered that is not in the log.</summary>
    Phantom,

    /// <summary>A reader was told to reload, or was told of a gap, although nothing had happened to the log.</summary>
    ToldWithoutCause,

    /// <summary>The log was replaced, and the reader or sender was never told.</summary>
    Untold,

    /// <summary>An event has another content, sender or nonce than it was sent with.</summary>
    Altered,

    /// <summary>A send was neither accepted nor refused in the end.</summary>
    Unanswered,

    /// <summary>An event became a dead letter although it was valid.</summary>
    Buried,

    /// <summary>The system did not come back after a fault.</summary>
    Unhealed,

    /// <summary>Traffic that must continue during an outage stood still.</summary>
    Stalled,
}

/// <summary>How many findings there are of each kind, and the first few of each as text. Thread-safe.</summary>
internal sealed class Findings
{
    private const int Told = 8;

    private readonly ConcurrentDictionary<Breach, long> _counts = new();
    private readonly ConcurrentQueue<string> _texts = new();

    public bool Any => !_counts.IsEmpty;

    public IEnumerable<string> Texts => _texts;

    public long this[Breach fault] => _counts.GetValueOrDefault(fault);

    public void Add(Breach fault, string text, long count = 1)
    {
        var before = _counts.AddOrUpdate(fault, count, (_, known) => known + count) - count;
        if (before < Told)
        {
            _texts.Enqueue($"{fault}: {text}");
        }
    }

    public override string ToString() => Any
        ? string.Join(", ", _counts.OrderBy(c => c.Key).Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Key} {c.Value}")))
        : "nothing";
}
