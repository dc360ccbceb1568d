using AspireChat.Contracts.Conversations;

namespace AspireChat.ConnectionService.History;

/// <summary>What is known of a committed event for good: it never changes back.</summary>
/// <param name="From">The author; null: the event is no message, or was deleted.</param>
/// <param name="TakesEdits">False: it has as many edits as a message may have.</param>
internal readonly record struct KnownTarget(string? From, bool TakesEdits);

/// <summary>
/// Remembers events that edits and deletes referred to, so that a refusal that is repeated costs no look into PostgreSQL. Bounded: of the
/// events asked for lately at least <paramref name="most"/> are known. In another epoch a seq is another event. Thread-safe.
/// </summary>
internal sealed class RefusedTargets(int most = RefusedTargets.Usual)
{
    /// <summary>About two megabytes on a node.</summary>
    private const int Usual = 10_000;

    private readonly Lock _gate = new();
    private Dictionary<(string Epoch, ConversationKey Conversation, long Seq), KnownTarget> _young = [];
    private Dictionary<(string Epoch, ConversationKey Conversation, long Seq), KnownTarget> _old = [];

    public KnownTarget? Find(string epoch, ConversationKey conversation, long seq)
    {
        lock (_gate)
        {
            if (_young.TryGetValue((epoch, conversation, seq), out var known))
            {
                return known;
            }

            if (!_old.TryGetValue((epoch, conversation, seq), out known))
            {
                return null;
            }

            Keep(epoch, conversation, seq, known);
            return known;
        }
    }

    public void Add(string epoch, ConversationKey conversation, long seq, KnownTarget known)
    {
        lock (_gate)
        {
            Keep(epoch, conversation, seq, known);
        }
    }

    /// <summary>The generation that is full becomes the old one, and the one before it is forgotten.</summary>
    private void Keep(string epoch, ConversationKey conversation, long seq, KnownTarget known)
    {
        if (_young.Count >= most)
        {
            (_old, _young) = (_young, []);
        }

        _young[(epoch, conversation, seq)] = known;
    }
}
