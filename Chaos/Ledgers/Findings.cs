using System.Collections.Concurrent;
using System.Globalization;

namespace AspireChat.Chaos.Ledgers;

/// <summary>What can be wrong with a delivery. Every one of them fails a run.</summary>
internal enum Breach
{
    /// <summary>Acknowledged or delivered to somebody, and missing somewhere.</summary>
    Lost,

    /// <summary>Seen twice by one reader, or one send that became two events.</summary>
    Duplicated,

    /// <summary>Came after an event with a higher seq, or two sends of one connection changed places.</summary>
    Inverted,

    /// <summary>A seq was jumped over and nobody said so.</summary>
    SilentGap,

    /// <summary>One (conversation, epoch, seq) with two events.</summary>
    Conflict,

    /// <summary>Delivered, but no event of the log.</summary>
    Phantom,

    /// <summary>Told to reload, or told of a gap, although nothing had happened to the log.</summary>
    ToldWithoutCause,

    /// <summary>The log is another one, and the reader or sender was never told.</summary>
    Untold,

    /// <summary>The same event with another content, sender or nonce.</summary>
    Altered,

    /// <summary>A send that was neither accepted nor refused in the end.</summary>
    Unanswered,

    /// <summary>The log buried an event that nobody meant to be refused.</summary>
    Buried,

    /// <summary>The system did not come back after a fault.</summary>
    Unhealed,

    /// <summary>What must go on during an outage stood still.</summary>
    Stalled,
}

/// <summary>Counts by kind, and the first few of each in words. Thread-safe.</summary>
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
