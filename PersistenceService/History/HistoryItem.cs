using System.Text.Json;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;

namespace AspireChat.PersistenceService.History;

/// <summary>One event of a page with what later events made of it. Applying an event twice, or in another order, gives the same.</summary>
internal sealed class HistoryItem(ConversationEvent e, long edited = 0, bool deleted = false)
{
    private readonly SortedDictionary<long, ConversationEvent> _reactions = [];
    private long _edited = edited;
    private bool _deleted = deleted || e.Deleted;

    public ConversationEvent Event { get; private set; } = e;

    public long Seq => Event.Seq;

    private bool IsMessage => Event.Kind is EventKind.Room or EventKind.Dm;

    /// <summary>Lets a later event take effect. Events that do not concern this item change nothing.</summary>
    public void Apply(ConversationEvent later)
    {
        if (later.Target == 0)
        {
            return;
        }

        if (later.Kind == EventKind.Delete && Event.Kind == EventKind.Edit && Event.Target == later.Target && Event.From == later.From)
        {
            Redact();
        }

        if (later.Target != Seq || !IsMessage)
        {
            return;
        }

        switch (later.Kind)
        {
            case EventKind.Edit when !_deleted && later.From == Event.From && later.Seq > _edited:
                _edited = later.Seq;
                Event = Event with { Content = later.Content };
                break;
            case EventKind.Delete when later.From == Event.From:
                Redact();
                break;
            case EventKind.React:
                _reactions[later.Seq] = later;
                break;
        }
    }

    /// <summary>Writes the item as the caller sees it: only its author gets the nonce.</summary>
    public void Write(Utf8JsonWriter json, string caller) => EventFrames.Write(json, Event, Event.From == caller, StateOrNull());

    private void Redact()
    {
        _deleted = true;
        Event = Event with { Content = "" };
    }

    private MessageState? StateOrNull()
    {
        if (!_deleted && _edited == 0 && _reactions.Count == 0)
        {
            return null;
        }
        // Of a deleted message nothing is left to have been edited.
        return new MessageState(_deleted, _deleted ? 0 : _edited, Reactions());
    }

    /// <summary>By emoji in the order of first use among those that stand; users in the order in which they reacted.</summary>
    private List<Reaction> Reactions()
    {
        var standing = new Dictionary<(string Emoji, string User), long>();
        foreach (var (seq, reaction) in _reactions)
        {
            var key = (reaction.Emoji ?? "", reaction.From);
            if (reaction.Remove)
            {
                standing.Remove(key);
            }
            else
            {
                standing.TryAdd(key, seq);
            }
        }
        return standing.GroupBy(pair => pair.Key.Emoji)
            .OrderBy(group => group.Min(pair => pair.Value))
            .Select(group => new Reaction(group.Key, [.. group.OrderBy(pair => pair.Value).Select(pair => pair.Key.User)]))
            .ToList();
    }
}
