namespace AspireChat.Client.Views;

/// <summary>
/// How many messages of others are above the user's read cursor. Where the cursor stands below the loaded messages, the server's count says
/// how many are between. Not thread-safe: the session's gate guards it.
/// </summary>
internal sealed class UnreadCount
{
    /// <summary>What the server counted: others' messages above <c>Read</c>, up to <c>Head</c>.</summary>
    private (long Unread, long Mentions, long Head, long Read) _base;

    /// <summary>The user's own cursor; 0 while it is not known.</summary>
    public long Read { get; private set; }

    public bool IsKnown { get; private set; }

    /// <summary>Whether the count is right. Else the server's is too old and must be asked for.</summary>
    public bool IsExact(Timeline timeline)
    {
        var below = timeline.Last is null ? _base.Head : timeline.First - 1;
        return IsKnown && (Read >= below || (Read == _base.Read && _base.Head >= below));
    }

    public (long Unread, long Mentions) Count(Timeline timeline, string? me)
    {
        var isLoaded = timeline.Last is not null && Read >= timeline.First - 1;
        var above = isLoaded ? Read : Math.Max(Read, _base.Head);
        var rest = Math.Max(0, _base.Head - Read);
        var (unread, mentions) = isLoaded ? (0, 0) : Read <= _base.Read
            ? (_base.Unread, _base.Mentions)
            : (Math.Min(_base.Unread, rest), Math.Min(_base.Mentions, rest));
        for (var i = timeline.Messages.Count - 1; i >= 0 && timeline.Messages[i].Seq > above; i--)
        {
            var message = timeline.Messages[i];
            if (!message.IsOwn)
            {
                unread++;
                mentions += me is not null && message.Mentions.Contains(me) ? 1 : 0;
            }
        }

        return (unread, mentions);
    }

    /// <summary>The user has read up to <paramref name="seq"/>, here or on another device.</summary>
    public void Move(long seq) => Read = Math.Max(Read, seq);

    /// <summary>The server told the user's cursor.</summary>
    public void Learn(long seq)
    {
        Move(seq);
        IsKnown = true;
    }

    /// <summary>The server has counted.</summary>
    public void Counted(long unread, long mentions, long head, long read)
    {
        _base = (unread, mentions, head, read);
        Learn(read);
    }

    /// <summary>Drops the oldest messages of the timeline, and keeps their count.</summary>
    public void Trim(Timeline timeline, int keep, string? me)
    {
        var before = Count(timeline, me);
        if (timeline.Trim(keep) > 0 && Read < timeline.First - 1)
        {
            var above = timeline.Messages.Where(message => !message.IsOwn).ToList();
            _base = (
                before.Unread - above.Count, before.Mentions - above.Count(message => me is not null && message.Mentions.Contains(me)),
                timeline.First - 1, Read);
        }
    }

    /// <summary>The log was replaced. Cursors of the old one mean nothing in it.</summary>
    public void Reset() => (_base, Read, IsKnown) = (default, 0, false);
}
