using AspireChat.Client.Sending;

namespace AspireChat.Client.Delivery;

/// <summary>
/// What the delivery of conversations needs from its session. Call it inside <see cref="Gate"/>, except <see cref="Options"/> and
/// <see cref="ChatFault"/>.
/// </summary>
internal interface IDeliveryHost : IOutboxHost
{
    /// <summary>Guards all state of the session. Nothing is awaited inside it.</summary>
    Gate Gate { get; }

    ChatClientOptions Options { get; }

    /// <summary>Events that wait to be sent or acknowledged.</summary>
    Outbox Outbox { get; }

    /// <summary>Null before the first connection.</summary>
    string? User { get; }

    bool IsConnected { get; }

    /// <summary>Queues a frame that may be dropped; false when it was.</summary>
    bool SendDroppable(byte[] frame);

    /// <summary>A new <c>ref</c> for a frame that is about these conversations.</summary>
    string NewReference(List<TrackedConversation> conversations);

    /// <summary>
    /// The conversation, which is followed from now on. A new one is followed from <paramref name="cursor"/>, or from where the session
    /// began.
    /// </summary>
    TrackedConversation Track(Conversation conversation, ConversationCursor? cursor = null);

    void SendLeave(TrackedConversation conversation);

    /// <summary>Fetches the conversation's missing events from history. Does nothing while a repair is running.</summary>
    void StartRepair(TrackedConversation conversation);

    /// <summary>The conversation if it is followed.</summary>
    TrackedConversation? Find(Conversation conversation);

    /// <summary>Gives the application an item. It is not lost, however slowly the application reads.</summary>
    void Give(ConversationItem item);

    /// <summary>Gives the application an item that may be dropped when it reads too slowly.</summary>
    void Offer(ChatItem item);

    /// <summary>Tells the application of a fault that the client works around.</summary>
    void Fault(string code, string message, Conversation? conversation = null);
}
