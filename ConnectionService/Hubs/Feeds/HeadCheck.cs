using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// Compares the heads of followed conversations with the log. Nothing else shows that the last event of a conversation was lost, or the
/// message that it is durable. Each is checked every <see cref="HubOptions.HeadCheck"/>, in batches, one under way at a time and at most
/// one started per tick: the cost is bounded, whatever the number of conversations. Belongs to one hub.
/// </summary>
internal sealed class HeadCheck(HubContext hub)
{
    private readonly Queue<Feed> _due = new();
    private readonly HashSet<Feed> _queued = [];
    private List<Feed> _asked = [];
    private bool _asking;
    private long _sweepAt;
    private bool _urgent;
    private bool _urgentAsked;

    /// <summary>Anything may have been missed: check all now, and read what is behind without waiting for it to arrive.</summary>
    public void CheckAllNow()
    {
        _urgent = true;
        _sweepAt = hub.Now;
    }

    /// <param name="feeds">All that are followed now; only looked at when a sweep begins.</param>
    public void OnTick(IEnumerable<Feed> feeds)
    {
        if (hub.Now >= _sweepAt && (_due.Count == 0 || _urgent))
        {
            _sweepAt = hub.Now + (long)hub.Options.HeadCheck.TotalMilliseconds;
            _urgentAsked |= _urgent;
            _urgent = false;
            foreach (var feed in feeds)
            {
                if (feed.IsPositioned && feed.HasReceivers && _queued.Add(feed))
                {
                    _due.Enqueue(feed);
                }
            }
        }
        if (_asking || _due.Count == 0)
        {
            return;
        }

        _asked = [];
        while (_asked.Count < hub.Options.HeadCheckBatch && _due.TryDequeue(out var feed))
        {
            _queued.Remove(feed);
            _asked.Add(feed);
        }
        _asking = true;
        hub.Effects.ReadHeads([.. _asked.Select(feed => feed.Id.Key).Distinct()]);
    }

    public void Answered(IReadOnlyDictionary<ConversationKey, ConversationHead>? heads)
    {
        _asking = false;
        var urgent = _urgentAsked;
        if (heads is null)
        {
            // What could not be checked comes with the next sweep; an urgent one is repeated.
            _urgent |= urgent;
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
                continue;
            }
            // The durable mark comes with the head: that heals a message about it that was lost.
            feed.Committed(head.Epoch, head.Durable);
            if (urgent && head.Head > feed.Last)
            {
                feed.Repair();
            }
        }
    }
}
