namespace AspireChat.Client.Sending;

/// <summary>
/// The user's messages that are not in the views yet. Those that wait in the outbox are always here. What became of them is kept only for
/// conversations that are shown, until the event's own copy has come or the user has decided; of those that failed at most
/// <paramref name="failedAtMost"/> in a conversation, and the oldest go first. Not thread-safe: the session's gate guards it.
/// </summary>
internal sealed class PendingMessages(int failedAtMost, Action<Conversation> changed)
{
    private readonly Dictionary<Conversation, List<PendingMessage>> _messages = [];
    private readonly Dictionary<Conversation, int> _views = [];

    /// <summary>In the order of the calls.</summary>
    public IReadOnlyList<PendingMessage> Of(Conversation conversation) =>
        _messages.TryGetValue(conversation, out var messages) ? [.. messages] : [];

    /// <summary>A view shows the conversation.</summary>
    public void Show(Conversation conversation) => _views[conversation] = _views.GetValueOrDefault(conversation) + 1;

    /// <summary>A view shows the conversation no longer. With the last one goes what is not in the outbox.</summary>
    public void Hide(Conversation conversation)
    {
        if (--_views[conversation] == 0)
        {
            _views.Remove(conversation);
            Drop(conversation, message => message.State != PendingMessageState.Sending);
        }
    }

    public void Add(Conversation conversation, PendingMessage message)
    {
        if (message.State == PendingMessageState.Failed && !_views.ContainsKey(conversation))
        {
            return;
        }

        if (!_messages.TryGetValue(conversation, out var messages))
        {
            _messages.Add(conversation, messages = []);
        }

        messages.Add(message);
        Bound(messages);
        changed(conversation);
    }

    /// <param name="isGiven">The event's own copy was given to the application already.</param>
    public void Accept(Conversation conversation, string nonce, long seq, bool isGiven)
    {
        if (isGiven)
        {
            Drop(conversation, message => message.Nonce == nonce);
        }
        else
        {
            Settle(conversation, nonce, message => message with { State = PendingMessageState.Accepted, Seq = seq });
        }
    }

    public void Fail(Conversation conversation, string nonce, ChatException reason) =>
        Settle(conversation, nonce, message => message with { State = PendingMessageState.Failed, Error = reason });

    /// <summary>The application took it back.</summary>
    public void Withdraw(Conversation conversation, string nonce) => Drop(conversation, message => message.Nonce == nonce);

    public PendingMessage? FindFailed(Conversation conversation, string nonce) => Of(conversation)
        .FirstOrDefault(message => message.State == PendingMessageState.Failed && message.Nonce == nonce);

    public PendingMessage? Discard(Conversation conversation, string nonce)
    {
        var failed = FindFailed(conversation, nonce);
        if (failed is not null)
        {
            Drop(conversation, message => message == failed);
        }

        return failed;
    }

    /// <summary>The application got this item. Messages whose copy is there, or will never come, are not on their way any more.</summary>
    public void OnItem(ConversationItem item)
    {
        switch (item)
        {
            case ChatEvent e:
                Reach(item.Conversation, e.Seq);
                break;
            case HistoryGap gap:
                Reach(item.Conversation, gap.To);
                break;
            case ConversationReset or RoomLeft:
                Reach(item.Conversation, long.MaxValue);
                break;
        }
    }

    /// <summary>The application has all events up to this seq.</summary>
    public void Reach(Conversation conversation, long seq) =>
        Drop(conversation, message => message.State == PendingMessageState.Accepted && message.Seq <= seq);

    private void Settle(Conversation conversation, string nonce, Func<PendingMessage, PendingMessage> settled)
    {
        if (!_views.ContainsKey(conversation))
        {
            Drop(conversation, message => message.Nonce == nonce);
        }
        else if (_messages.TryGetValue(conversation, out var messages)
            && messages.FindIndex(message => message.Nonce == nonce) is >= 0 and var i)
        {
            messages[i] = settled(messages[i]);
            Bound(messages);
            changed(conversation);
        }
    }

    private void Bound(List<PendingMessage> messages)
    {
        if (messages.Count(message => message.State == PendingMessageState.Failed) > failedAtMost)
        {
            messages.RemoveAt(messages.FindIndex(message => message.State == PendingMessageState.Failed));
        }
    }

    private void Drop(Conversation conversation, Predicate<PendingMessage> which)
    {
        if (!_messages.TryGetValue(conversation, out var messages) || messages.RemoveAll(which) == 0)
        {
            return;
        }

        if (messages.Count == 0)
        {
            _messages.Remove(conversation);
        }

        changed(conversation);
    }
}
