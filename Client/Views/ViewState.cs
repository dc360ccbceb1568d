using AspireChat.Client.Delivery;
using AspireChat.Client.Sessions;

namespace AspireChat.Client.Views;

/// <summary>What a view knows of its conversation. It does no I/O. Not thread-safe: the session's gate guards it.</summary>
internal sealed class ViewState(Conversation conversation, Session session)
{
    /// <summary>The server ends typing after 3 s without renewal. If that frame is lost, it ends here, as late as the protocol
    /// advises.</summary>
    private static readonly TimeSpan TypingAtMost = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, long> _reads = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _typing = new(StringComparer.Ordinal);
    private readonly HashSet<string> _online = new(StringComparer.Ordinal);
    private RoomJoined? _room;
    private long _onlineCount;
    private long _durable;
    private bool _wasLeft;

    public Timeline Timeline { get; } = new();

    public UnreadCount Unread { get; } = new();

    public bool IsUnreadExact => Unread.IsExact(Timeline);

    /// <summary>Begins where the conversation is.</summary>
    public void Begin(TrackedConversation tracked)
    {
        if (tracked.Log.Last is { } last)
        {
            Timeline.Reset(tracked.Log.Epoch, last);
        }

        if (tracked.Seat is { IsJoined: true, Snapshot: { } snapshot })
        {
            Enter(snapshot);
        }
    }

    /// <summary>True when something changed.</summary>
    public bool Take(ConversationItem item)
    {
        switch (item)
        {
            case ChatEvent e:
                Timeline.Append(e, IsOwn(e));
                _typing.Remove(e.From);
                return true;
            case ConversationReset reset:
                Restart(reset.Epoch, reset.Head);
                return true;
            case HistoryGap gap:
                Timeline.Skip(gap.To);
                return true;
            case RoomJoined joined:
                if (Timeline.Last is null || (_wasLeft && joined.Head != Timeline.Last))
                {
                    Restart(joined.Epoch, joined.Head);
                }

                Enter(joined);
                return true;
            case RoomLeft:
                (_room, _onlineCount, _wasLeft) = (null, 0, true);
                _online.Clear();
                _typing.Clear();
                return true;
            case PresenceChanged presence:
                Take(presence);
                return true;
            case MemberChanged { Change: "role", Role: { } role } member when _room is not null && member.User == session.User:
                _room = _room with { Role = role };
                return true;
            case TypingChanged { Active: true } typing:
                _typing[typing.User] = session.Now + TypingAtMost;
                return true;
            case TypingChanged typing:
                return _typing.Remove(typing.User);
            case ReadCursorMoved read when read.User == session.User:
                Unread.Learn(read.Seq);
                return true;
            case ReadCursorMoved read:
                _reads[read.User] = Math.Max(_reads.GetValueOrDefault(read.User), read.Seq);
                return true;
            case EventsDurable durable:
                _durable = Math.Max(_durable, durable.Seq);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Whether the page is of another log than the loaded messages.</summary>
    public bool IsForeign(HistoryPage page) => page.Epoch.Length > 0 && Timeline.Epoch is { } known && known != page.Epoch;

    /// <summary>Adds a page in front. Where the place in the log is not known yet, it is behind the page, and events follow from
    /// there.</summary>
    /// <returns>How many messages were added.</returns>
    public int Prepend(HistoryPage page)
    {
        if (Timeline.Last is null)
        {
            Timeline.Reset(page.Epoch.Length > 0 ? page.Epoch : null, page.Head);
            if (page.Epoch.Length > 0)
            {
                session.Track(conversation).Log.StartAt(new ConversationCursor(page.Head, page.Epoch));
                session.Pending.Reach(conversation, page.Head);
            }
        }
        else if (page.Epoch.Length > 0)
        {
            Timeline.Name(page.Epoch);
        }

        return Timeline.Prepend(page.Items, page.Items.Count == 0 || page.Next is null, IsOwn);
    }

    /// <summary>Ends typing whose end was lost. True when there was some.</summary>
    public bool EndStaleTyping()
    {
        var before = _typing.Count;
        foreach (var (user, until) in _typing)
        {
            if (until <= session.Now)
            {
                _typing.Remove(user);
            }
        }

        return _typing.Count < before;
    }

    public ConversationSnapshot Snapshot()
    {
        var (unread, mentions) = Unread.Count(Timeline, session.User);
        return new ConversationSnapshot
        {
            Messages = [.. Timeline.Messages],
            AtStart = Timeline.AtStart,
            Head = Timeline.Last ?? 0,
            Epoch = Timeline.Epoch,
            Read = Unread.Read,
            Unread = unread,
            UnreadMentions = mentions,
            IsUnreadExact = IsUnreadExact,
            ReadCursors = new Dictionary<string, long>(_reads),
            DurableUpTo = _durable,
            Online = [.. _online],
            OnlineCount = _onlineCount,
            Typing = [.. _typing.Keys],
            Room = _room,
            Pending = session.Pending.Of(conversation),
        };
    }

    private bool IsOwn(ChatEvent e) => e.Nonce is not null || e.From == session.User;

    private void Restart(string epoch, long head)
    {
        Timeline.Reset(epoch, head);
        Unread.Reset();
        _reads.Clear();
        _durable = 0;
        _wasLeft = false;
    }

    private void Enter(RoomJoined joined)
    {
        (_room, _onlineCount, _wasLeft) = (joined, joined.Online, false);
        _online.Clear();
        _online.UnionWith(joined.Members);
        foreach (var user in joined.Typing.Where(user => user != session.User))
        {
            _typing[user] = session.Now + TypingAtMost;
        }

        Unread.Learn(joined.Read);
    }

    private void Take(PresenceChanged presence)
    {
        // The server names all members, for example after it lost their presence.
        if (presence.Online.Count > 0 && presence.Online.Count == presence.Count)
        {
            _online.Clear();
        }

        _online.UnionWith(presence.Online);
        foreach (var user in presence.Offline)
        {
            _online.Remove(user);
            _typing.Remove(user);
        }

        _onlineCount = presence.Count;
    }
}
