using System.Diagnostics;
using AspireChat.ConnectionService.Hubs.Mailboxes;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// Decides when a feed reads the log, and reads it: when events are missing, when a known head does not arrive in time, and again after a
/// failure. One read is under way at a time. Belongs to one hub.
/// </summary>
internal sealed class TailRepair(FeedId feed, FeedPosition position, HubContext hub)
{
    private const int ReadEvents = 1_000;
    private const int FirstRetry = 100;
    private const int LongestRetry = 2_000;

    /// <summary>The log's head is at least this.</summary>
    private long _knownHead;

    /// <summary>Since when the feed waits for it; each event in order begins the wait anew, because it shows that pub/sub works.</summary>
    private long _knownSince;

    private long _token;
    private long _knownAtRead;
    private bool _again;
    private long _retryAt;
    private int _failures;

    public bool IsBehind => _knownHead > position.Last;

    /// <summary>Time must pass before the next step.</summary>
    public bool IsWaiting => IsBehind || _retryAt != 0;

    public bool IsDue => !IsReading && (_retryAt != 0
        ? hub.Now >= _retryAt
        : IsBehind && hub.Now - _knownSince >= hub.Options.Overdue.TotalMilliseconds);

    /// <summary>The last seq that the feed had when the read began.</summary>
    public long ReadAfter { get; private set; }

    private bool IsReading => _token != 0;

    /// <summary>The feed has a new place, and the log's head is there.</summary>
    public void Placed() => _knownHead = position.Last;

    public void Advanced()
    {
        _knownSince = hub.Now;
        _knownHead = Math.Max(_knownHead, position.Last);
    }

    /// <summary>The head is at least this. False: the feed has it already.</summary>
    public bool Expect(long head)
    {
        if (head <= position.Last)
        {
            return false;
        }
        if (!IsBehind)
        {
            _knownSince = hub.Now;
        }
        _knownHead = Math.Max(_knownHead, head);
        return true;
    }

    /// <summary>Reads what is behind the last event. While a read is under way: once more after it.</summary>
    public void Start()
    {
        if (!position.IsKnown)
        {
            return;
        }
        if (IsReading)
        {
            _again = true;
            return;
        }
        _token = hub.NextToken();
        ReadAfter = position.Last;
        _knownAtRead = _knownHead;
        _retryAt = 0;
        hub.Metrics.Repairs.Add(1);
        hub.Effects.ReadForRepair(feed, ReadAfter, ReadEvents, _token);
    }

    /// <summary>An answer came. False: not to the read under way.</summary>
    /// <param name="again">Another read was asked for meanwhile.</param>
    public bool TryEnd(long token, out bool again)
    {
        again = _again;
        if (token != _token)
        {
            return false;
        }
        Debug.Assert(IsReading, "tokens are never 0");
        _token = 0;
        _again = false;
        return true;
    }

    public void Succeeded() => _failures = 0;

    /// <summary>The log's head as it was read. A higher one that was only heard of before the read does not exist.</summary>
    public void Confirm(long head)
    {
        if (_knownHead == _knownAtRead)
        {
            _knownHead = Math.Max(head, position.Last);
        }
    }

    public void RetryLater() => _retryAt = hub.Now + Math.Min(LongestRetry, FirstRetry << Math.Min(_failures++, 5));
}
