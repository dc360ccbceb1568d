using System.Text.Json;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;

namespace AspireChat.PersistenceService.History;

/// <summary>One event of a page with what later events made of it. Applying an event twice, or in another order, gives the same.</summary>
/// <param name="reactionsUpTo">Reactions up to this seq come from <see cref="AddCommitted"/>; only later ones are applied.</param>
/// <param name="reactionUsers">Users listed for each emoji.</param>
internal sealed class HistoryItem(
    ConversationEvent e, long edited = 0, bool deleted = false, long reactionsUpTo = 0, int reactionUsers = HistoryItem.UsersListed)
{
    /// <summary>Users listed for each emoji where no setting says otherwise.</summary>
    public const int UsersListed = 100;

    private readonly SortedDictionary<long, ConversationEvent> _reactions = [];
    private readonly List<Standing> _committed = [];
    private long _edited = edited;

    /// <summary>The last edits that named mentions, and meta. What PostgreSQL has shows all edits up to the last one that it has.</summary>
    private long _mentionsEdited = edited, _metaEdited = edited;
    private bool _deleted = deleted || e.Deleted;

    public ConversationEvent Event { get; private set; } = e;

    public long Seq => Event.Seq;

    public bool IsMessage => Event.Kind is EventKind.Room or EventKind.Dm;

    public bool IsDeleted => _deleted;

    /// <summary>Lets a later event take effect. Events that do not concern this item change nothing.</summary>
    public void Apply(ConversationEvent later)
    {
        if (later.Target == 0)
        {
            return;
        }

        if (later.Kind == EventKind.Delete && Event.Kind == EventKind.Edit && Event.Target == later.Target && MayDelete(later))
        {
            Redact();
        }

        if (later.Target != Seq || !IsMessage)
        {
            return;
        }

        switch (later.Kind)
        {
            case EventKind.Edit when !_deleted && !later.Deleted && later.From == Event.From:
                Edit(later);
                break;
            case EventKind.Delete when MayDelete(later):
                Redact();
                break;
            case EventKind.React when later.Seq > reactionsUpTo:
                _reactions[later.Seq] = later;
                break;
        }
    }

    /// <summary>Reactions with one emoji as PostgreSQL counted them; call it in the order of first use.</summary>
    public void AddCommitted(string emoji, long count, IReadOnlyList<string> firstUsers) =>
        _committed.Add(new Standing(emoji, count, [.. firstUsers]));

    /// <summary>Users whom the item lists as having reacted, or who may be among them.</summary>
    public IEnumerable<string> Reacted =>
        _committed.SelectMany(each => each.Users).Concat(_reactions.Values.Select(reaction => reaction.From));

    /// <summary>Writes the item as the caller sees it: only its author gets the nonce.</summary>
    public void Write(Utf8JsonWriter json, string caller) =>
        EventFrames.Write(json, Event, Event.From == caller, StateOrNull(), withName: false);

    /// <summary>In a room moderators delete as well; the log took no deletion from anybody else.</summary>
    private bool MayDelete(ConversationEvent later) => later.From == Event.From || Event.Conversation.IsRoom;

    private void Redact()
    {
        _deleted = true;
        Event = Event with { Content = "", Details = MessageDetails.Deleted(Event.Details) };
    }

    /// <summary>The last edit gives the content; mentions and meta are those of the last edit that names them.</summary>
    private void Edit(ConversationEvent edit)
    {
        var mentions = edit.Seq > _mentionsEdited ? edit.Details?.Mentions : null;
        var meta = edit.Seq > _metaEdited ? edit.Details?.Meta : null;
        if (mentions is not null || meta is not null)
        {
            Event = Event with { Details = MessageDetails.Edited(Event.Details, mentions, meta) };
            _mentionsEdited = mentions is null ? _mentionsEdited : edit.Seq;
            _metaEdited = meta is null ? _metaEdited : edit.Seq;
        }
        if (edit.Seq > _edited)
        {
            _edited = edit.Seq;
            Event = Event with { Content = edit.Content };
        }
    }

    private MessageState? StateOrNull()
    {
        if (!_deleted && _edited == 0 && _reactions.Count == 0 && _committed.Count == 0)
        {
            return null;
        }
        // Of a deleted message nothing is left to have been edited.
        return new MessageState(_deleted, _deleted ? 0 : _edited, Reactions());
    }

    /// <summary>
    /// By emoji in the order of first use among those that stand; users in the order in which they reacted. Of a user who is counted but
    /// not listed it is not known whether a reaction that is not committed yet is a repeat: until it is, the count may be off by those.
    /// </summary>
    private List<Reaction> Reactions()
    {
        // Each call counts anew.
        var standing = _committed.ConvertAll(each => each with { Users = [.. each.Users] });
        foreach (var reaction in _reactions.Values)
        {
            var emoji = reaction.Emoji ?? "";
            var at = standing.FindIndex(each => each.Emoji == emoji);
            if (at < 0)
            {
                if (!reaction.Remove)
                {
                    standing.Add(new Standing(emoji, 1, [reaction.From]));
                }

                continue;
            }
            var (_, count, users) = standing[at];
            if (reaction.Remove && (users.Remove(reaction.From) || count > users.Count))
            {
                count--;
            }
            else if (!reaction.Remove && !users.Contains(reaction.From))
            {
                users.Add(reaction.From);
                count++;
            }

            standing[at] = standing[at] with { Count = count };
            if (count == 0)
            {
                standing.RemoveAt(at);
            }
        }
        return standing.ConvertAll(each => new Reaction(each.Emoji, [.. each.Users.Take(reactionUsers)]) { Count = each.Count });
    }

    /// <param name="Users">The first of them, at least as many as are listed; all, unless PostgreSQL counted.</param>
    private sealed record Standing(string Emoji, long Count, List<string> Users);
}
