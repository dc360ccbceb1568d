using System.Diagnostics;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>What an event is to a feed.</summary>
internal enum Arrival
{
    /// <summary>The one behind the last.</summary>
    Next,

    /// <summary>Delivered before, or another event that claims the same place.</summary>
    Repeat,

    /// <summary>Events between the last and this one are missing.</summary>
    Ahead,

    /// <summary>The feed has no place yet.</summary>
    Unplaced,

    /// <summary>Of an epoch that the feed does not know: it may be newer, or older than all that are remembered.</summary>
    OtherEpoch,

    /// <summary>Of an epoch that has ended.</summary>
    PastEpoch,
}

/// <summary>
/// A feed's place in its conversation's log: the epoch, the last event delivered, and the events that came too early and wait for those before
/// them. Belongs to one hub.
/// </summary>
/// <param name="mostAhead">Events that may wait. One that finds no place is not lost: the log has it.</param>
internal sealed class FeedPosition(int mostAhead)
{
    private const int PastEpochs = 8;

    private readonly SortedDictionary<long, EncodedEvent> _ahead = [];
    private readonly List<string> _past = [];

    /// <summary>False until the log has told the place.</summary>
    public bool IsKnown { get; private set; }

    public string Epoch { get; private set; } = "";

    /// <summary>The seq of the last event delivered.</summary>
    public long Last { get; private set; }

    public bool HasAhead => _ahead.Count > 0;

    public Arrival Classify(EncodedEvent e) =>
        !IsKnown ? Arrival.Unplaced
        : e.Epoch != Epoch ? IsPast(e.Epoch) ? Arrival.PastEpoch : Arrival.OtherEpoch
        : e.Seq <= Last ? Arrival.Repeat
        : e.Seq == Last + 1 ? Arrival.Next
        : Arrival.Ahead;

    public bool IsPast(string epoch) => _past.Contains(epoch);

    /// <summary>The first place.</summary>
    public void Start(string epoch, long head)
    {
        Debug.Assert(!IsKnown, "a feed starts once");
        IsKnown = true;
        Epoch = epoch;
        Last = head;
    }

    public void Advance(EncodedEvent e)
    {
        Debug.Assert(Classify(e) == Arrival.Next, "events are delivered in order, without a hole");
        Last = e.Seq;
    }

    /// <summary>The log no longer holds the events up to <paramref name="head"/>.</summary>
    public void SkipTo(long head)
    {
        Debug.Assert(IsKnown && head > Last, "a hole leads forward");
        Last = head;
    }

    /// <summary>The log was rebuilt, or went back: another epoch, or another place in the same one.</summary>
    public void Restart(string epoch, long head)
    {
        Debug.Assert(IsKnown && !IsPast(epoch), "an epoch that has ended does not come back");
        if (epoch != Epoch)
        {
            if (_past.Count == PastEpochs)
            {
                _past.RemoveAt(0);
            }
            _past.Add(Epoch);
        }
        Epoch = epoch;
        Last = head;
    }

    /// <summary>Keeps an event that can't be delivered yet.</summary>
    public void Hold(EncodedEvent e)
    {
        if (_ahead.Count < mostAhead || _ahead.ContainsKey(e.Seq))
        {
            _ahead[e.Seq] = e;
        }
    }

    /// <summary>The next event, if it came before its turn. What was delivered meanwhile is dropped.</summary>
    public bool TryTakeNext(out EncodedEvent next)
    {
        while (_ahead.Count > 0)
        {
            (var seq, next) = _ahead.First();
            if (next.Epoch != Epoch || seq > Last + 1)
            {
                break;
            }
            _ahead.Remove(seq);
            if (seq == Last + 1)
            {
                return true;
            }
        }
        next = null!;
        return false;
    }

    /// <summary>Drops the held events of other epochs: the log was asked, and they are not of the current one.</summary>
    public void DropForeign()
    {
        foreach (var seq in _ahead.Where(held => held.Value.Epoch != Epoch).Select(held => held.Key).ToList())
        {
            _ahead.Remove(seq);
        }
    }
}
