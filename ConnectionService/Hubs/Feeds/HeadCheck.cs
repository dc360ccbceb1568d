using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// Compares the heads of followed conversations with the log, every <see cref="HubOptions.HeadCheck"/>. Nothing else shows that the last event
/// of a conversation was lost, or the message that it is durable. Belongs to one hub.
/// <para>
/// A sweep first asks how often each partition moved. What did not move since the last sweep has the heads that are known. A partition of
/// which something was heard has moved and is not asked. A conversation that was just heard of waits: its next event would show a loss, and
/// when none comes it is checked half an interval after the last. So rest costs one small read per partition, and a conversation that is
/// busy costs nothing.
/// </para>
/// <para>
/// Heads are read in batches, one under way at a time and at most one started per tick and sweep: the cost is bounded, whatever the number
/// of conversations.
/// </para>
/// </summary>
/// <param name="feeds">All that are followed now.</param>
internal sealed class HeadCheck(HubContext hub, Func<IEnumerable<Feed>> feeds)
{
    /// <summary>Sweeps after which it is counted anew which partitions have feeds.</summary>
    private const int SweepsPerCount = 10;

    private readonly Queue<Feed> _due = new();
    private readonly HashSet<Feed> _queued = [];

    /// <summary>Just heard of; checked when they fall silent.</summary>
    private readonly List<Feed> _busy = [];

    private readonly PartitionMoves _moves = new(hub.Traffic);

    /// <summary>Their heads are being read.</summary>
    private List<Feed> _asked = [];

    private bool _asking;
    private bool _askingPlaces;
    private int _sweeps;
    private long _sweepAt;

    /// <summary>The next sweep goes through the feeds although no partition may have moved.</summary>
    private bool _again;

    private bool _urgent;
    private bool _urgentAsked;

    /// <summary>There is work for the next tick. Otherwise the next sweep is early enough.</summary>
    public bool IsActive => _urgent || _due.Count > 0 || _busy.Count > 0;

    private long Silence => (long)hub.Options.HeadCheck.TotalMilliseconds / 2;

    /// <summary>Anything may have been missed: check all now, and read what is behind without waiting for it to arrive.</summary>
    public void CheckAllNow()
    {
        _urgent = true;
        _sweepAt = hub.Now;
    }

    public void OnTick()
    {
        if (hub.Now >= _sweepAt && (_urgent || (_due.Count == 0 && !_askingPlaces)))
        {
            _sweepAt = hub.Now + (long)hub.Options.HeadCheck.TotalMilliseconds;
            Sweep();
        }
        TakeSilent();
        AskHeads();
    }

    /// <summary>Null: the log can't be reached.</summary>
    public void PlacesAnswered(IReadOnlyDictionary<int, PartitionPlace>? places)
    {
        _askingPlaces = false;
        if (places is null)
        {
            return;
        }

        if (_moves.Answered(places) | _again)
        {
            Queue(all: false);
            AskHeads();
        }
    }

    public void Answered(IReadOnlyDictionary<ConversationKey, ConversationHead>? heads)
    {
        _asking = false;
        var urgent = _urgentAsked;
        if (heads is null)
        {
            // What could not be checked comes with the next sweep; an urgent one is repeated.
            _urgent |= urgent;
            foreach (var feed in _asked)
            {
                Repeat(feed);
            }

            return;
        }
        if (_due.Count == 0)
        {
            _urgentAsked = false;
        }

        foreach (var feed in _asked)
        {
            if (!heads.TryGetValue(feed.Id.Key, out var head) || !feed.Locate(head.Epoch, head.Head))
            {
                Repeat(feed);
                continue;
            }
            // The durable mark comes with the head: that heals a message about it that was lost.
            feed.Committed(head.Epoch, head.Durable);
            if (head.Head > feed.Last)
            {
                Repeat(feed);
                if (urgent)
                {
                    feed.Repair();
                }
            }
        }
    }

    private void Sweep()
    {
        if (_urgent)
        {
            _urgentAsked = true;
            _urgent = false;
            _moves.Forget();
            Queue(all: true);
            return;
        }

        if (_sweeps++ % SweepsPerCount == 0)
        {
            CountFollowed();
        }
        var silent = _moves.Silent(out var heard);
        if (silent.Count > 0)
        {
            _askingPlaces = true;
            _again |= heard;
            hub.Effects.ReadPlaces(silent);
        }
        else if (heard || _again)
        {
            Queue(all: false);
        }
    }

    private void CountFollowed()
    {
        hub.Traffic.ForgetFollowed();
        foreach (var feed in feeds())
        {
            if (feed.HasReceivers)
            {
                hub.Traffic.Followed(feed.Partition);
            }
        }
    }

    private void Queue(bool all)
    {
        _again = false;
        _busy.Clear();
        foreach (var feed in feeds())
        {
            if (!feed.IsPositioned || !feed.HasReceivers || (!all && feed.CheckedAt == _moves.Of(feed.Partition)))
            {
                continue;
            }

            if (!all && hub.Now - feed.HeardAt < Silence)
            {
                _busy.Add(feed);
            }
            else if (_queued.Add(feed))
            {
                _due.Enqueue(feed);
            }
        }
    }

    private void TakeSilent()
    {
        for (var i = _busy.Count - 1; i >= 0; i--)
        {
            var feed = _busy[i];
            if (hub.Now - feed.HeardAt >= Silence)
            {
                _busy[i] = _busy[^1];
                _busy.RemoveAt(_busy.Count - 1);
                if (_queued.Add(feed))
                {
                    _due.Enqueue(feed);
                }
            }
        }
    }

    private void AskHeads()
    {
        if (_asking || _due.Count == 0)
        {
            return;
        }

        _asked = [];
        while (_asked.Count < hub.Options.HeadCheckBatch && _due.TryDequeue(out var feed))
        {
            _queued.Remove(feed);
            if (feed.IsRetired)
            {
                continue;
            }

            // The partition's place was read before the head will be: what moves it later is seen by the next sweep.
            feed.CheckedAt = _moves.Of(feed.Partition);
            _asked.Add(feed);
        }
        if (_asked.Count == 0)
        {
            return;
        }

        _asking = true;
        hub.Effects.ReadHeads([.. _asked.Select(feed => feed.Id.Key).Distinct()]);
    }

    /// <summary>It is not settled where the feed stands: the next sweep checks it, whether the partition moves or not.</summary>
    private void Repeat(Feed feed)
    {
        feed.CheckedAt = 0;
        _again = true;
    }
}
