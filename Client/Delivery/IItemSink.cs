namespace AspireChat.Client.Delivery;

/// <summary>Gets all that happens in a session, in order. Called inside the session's gate, so it must not wait or run foreign
/// code.</summary>
internal interface IItemSink
{
    /// <param name="mayDrop">The item may be lost when there is no space for it.</param>
    void Take(ChatItem item, bool mayDrop);

    /// <summary>The user has moved the own read cursor here.</summary>
    void MarkedRead(Conversation conversation, long seq)
    {
    }

    /// <summary>The user's messages that are on their way are others now.</summary>
    void PendingChanged(Conversation conversation)
    {
    }

    /// <summary>The session has ended; nothing comes behind <paramref name="last"/>.</summary>
    void Complete(ChatConnectionChanged last);
}
