namespace AspireChat.Client.Views;

/// <summary>
/// The loaded part of one conversation's log, from <see cref="First"/> to <see cref="Last"/>, as messages. It does no I/O. Not thread-safe:
/// the session's gate guards it.
/// </summary>
internal sealed class Timeline
{
    /// <summary>Most changes kept for messages that are not loaded. Only those that come while a page is on its way are needed.</summary>
    private const int ChangesKept = 1_000;

    private readonly List<ChatMessage> _messages = [];
    private Queue<ChatEvent> _changes = new();

    /// <summary>In the order of seq.</summary>
    public IReadOnlyList<ChatMessage> Messages => _messages;

    /// <summary>The lowest loaded seq; one above <see cref="Last"/> while nothing is loaded.</summary>
    public long First { get; private set; } = 1;

    /// <summary>The seq of the newest event; null until the place in the log is known.</summary>
    public long? Last { get; private set; }

    public string? Epoch { get; private set; }

    /// <summary>Rises when everything was dropped, so that an answer from before is known as such.</summary>
    public int Generation { get; private set; }

    public bool AtStart => Last is not null && First <= 1;

    /// <summary>Forgets all. Events go on behind <paramref name="head"/>.</summary>
    public void Reset(string? epoch, long? head)
    {
        Generation++;
        (Epoch, Last, First) = (epoch, head, (head ?? 0) + 1);
        _messages.Clear();
        _changes.Clear();
    }

    /// <summary>The server has named the log.</summary>
    public void Name(string epoch) => Epoch ??= epoch;

    /// <summary>The events up to this seq do not exist.</summary>
    public void Skip(long to) => Last = Math.Max(Last ?? 0, to);

    /// <summary>Takes the next event of the log. An event that the loaded part has already is ignored.</summary>
    public void Append(ChatEvent e, bool isOwn)
    {
        if (Last is null || e.Seq > Last + 1)
        {
            Reset(e.Epoch, e.Seq - 1);
        }

        if (e.Seq <= Last)
        {
            return;
        }

        Epoch ??= e.Epoch;
        Last = e.Seq;
        if (e is MessageSent message)
        {
            _messages.Add(View(message, isOwn));
        }
        else
        {
            Change(e);
        }
    }

    /// <summary>Adds a page of history in front. What came while it was on its way is applied to it.</summary>
    /// <param name="items">Events below <see cref="First"/>, in any order.</param>
    /// <param name="isLast">There are no older events.</param>
    /// <returns>How many messages were added.</returns>
    public int Prepend(IEnumerable<ChatEvent> items, bool isLast, Func<ChatEvent, bool> isOwn)
    {
        List<ChatEvent> older = [.. items.Where(item => item.Seq < First).OrderBy(item => item.Seq)];
        List<ChatMessage> messages = [.. older.OfType<MessageSent>().Select(message => View(message, isOwn(message)))];
        _messages.InsertRange(0, messages);
        First = isLast ? 1 : older.Count > 0 ? older[0].Seq : First;
        var changes = _changes;
        _changes = new();
        foreach (var change in changes)
        {
            Change(change);
        }

        return messages.Count;
    }

    /// <summary>Drops the oldest messages.</summary>
    /// <returns>How many went.</returns>
    public int Trim(int keep)
    {
        var gone = Math.Max(0, _messages.Count - keep);
        if (gone > 0)
        {
            _messages.RemoveRange(0, gone);
            First = _messages.Count > 0 ? _messages[0].Seq : Last!.Value + 1;
        }

        return gone;
    }

    private static ChatMessage View(MessageSent e, bool isOwn) => new()
    {
        Id = e.Id, Seq = e.Seq, From = e.From, Name = e.Name, IsOwn = isOwn, Content = e.Content, Timestamp = e.Timestamp, Edited = e.Edited,
        IsDeleted = e.Deleted, Reactions = e.Reactions, ReplyTo = e.ReplyTo, Mentions = e.Mentions, Meta = e.Meta, AsOf = e.AsOf,
    };

    private static long TargetOf(ChatEvent e) => e switch
    {
        MessageEdited edit => edit.Target,
        MessageDeleted deletion => deletion.Target,
        MessageReacted reaction => reaction.Target,
        _ => 0,
    };

    /// <summary>Applies an edit, a deletion or a reaction. To apply it again changes nothing.</summary>
    private void Change(ChatEvent e)
    {
        var target = TargetOf(e);
        if (target < First)
        {
            // A page that is on its way may be older than this.
            _changes.Enqueue(e);
            if (_changes.Count > ChangesKept)
            {
                _changes.Dequeue();
            }

            return;
        }

        var index = IndexOf(target);
        if (index < 0 || _messages[index] is { IsDeleted: true })
        {
            return;
        }

        var message = _messages[index];
        _messages[index] = e switch
        {
            MessageDeleted => message with { IsDeleted = true, Content = "", Reactions = [], Mentions = [], Meta = null },
            MessageEdited edit when edit.Seq > message.Edited => message with
            {
                Content = edit.Content, Edited = edit.Seq, Mentions = edit.Mentions ?? message.Mentions, Meta = edit.Meta ?? message.Meta,
            },
            // A page has counted the reactions up to its head, and lists only the first users of each emoji.
            MessageReacted reaction when reaction.Seq > message.AsOf => message with { Reactions = Apply(message.Reactions, reaction) },
            _ => message,
        };
    }

    private static IReadOnlyList<MessageReactions> Apply(IReadOnlyList<MessageReactions> reactions, MessageReacted e)
    {
        var known = reactions.FirstOrDefault(reaction => reaction.Emoji == e.Emoji) ?? new MessageReactions(e.Emoji, []);
        var isListed = known.Users.Contains(e.From);
        if (e.Removed ? known.Count == 0 || (!isListed && known.Count == known.Users.Count) : isListed)
        {
            return reactions;
        }

        var changed = new MessageReactions(e.Emoji, e.Removed ? [.. known.Users.Where(user => user != e.From)] : [.. known.Users, e.From])
        {
            Count = known.Count + (e.Removed ? -1 : 1),
        };
        if (known.Count == 0)
        {
            return [.. reactions, changed];
        }

        return [.. reactions.Select(reaction => reaction == known ? changed : reaction).Where(reaction => reaction.Count > 0)];
    }

    private int IndexOf(long seq)
    {
        var (low, high) = (0, _messages.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            switch (_messages[middle].Seq.CompareTo(seq))
            {
                case 0:
                    return middle;
                case < 0:
                    low = middle + 1;
                    break;
                default:
                    high = middle - 1;
                    break;
            }
        }

        return -1;
    }
}
