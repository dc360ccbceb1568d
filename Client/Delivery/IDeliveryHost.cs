using AspireChat.Client.Sending;

namespace AspireChat.Client.Delivery;

/// <summary>What the delivery of conversations needs from its session. All of it is for callers inside <see cref="Gate"/>, except
/// <see cref="Options"/> and <see cref="Fault"/>.</summary>
internal interface IDeliveryHost : IOutboxHost
{
    /// <summary>Guards all state of the session. Nothing is awaited inside it.</summary>
    Lock Gate { get; }

    ChatClientOptions Options { get; }

    /// <summary>What waits for the application.</summary>
    ItemBuffer Items { get; }

    /// <summary>What is to be sent.</summary>
    Outbox Outbox { get; }

    /// <summary>Null before the first connection.</summary>
    string? User { get; }

    bool IsConnected { get; }

    /// <summary>A new <c>ref</c> for a frame whose refusal concerns these conversations.</summary>
    string NewReference(List<TrackedConversation> conversations);

    /// <summary>The conversation, followed from now on; where it is new, from <paramref name="cursor"/> or from where the session began.
    /// </summary>
    TrackedConversation Track(Conversation conversation, Cursor? cursor = null);

    void SendLeave(TrackedConversation conversation);

    /// <summary>Fetches what the conversation misses from history. Does nothing while that is under way.</summary>
    void StartRepair(TrackedConversation conversation);

    /// <summary>Gives the application an item that may be dropped when it reads too slowly.</summary>
    void Offer(ChatItem item);

    /// <summary>Tells the application of what the client works around.</summary>
    void Fault(string code, string message, Conversation? conversation = null);
}
