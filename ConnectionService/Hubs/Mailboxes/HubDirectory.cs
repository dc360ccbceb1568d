using AspireChat.Contracts.Conversations;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>Which hub owns what: by the same hash as the log's partitions. Thread-safe once filled.</summary>
internal sealed class HubDirectory
{
    private readonly List<HubMailbox> _mailboxes = [];

    public IReadOnlyList<HubMailbox> All => _mailboxes;

    public HubMailbox OfRoom(string room) => Of(ConversationKey.Room(room).Value);

    public HubMailbox OfUser(string user) => Of(user);

    /// <summary>The hub that answers the sender of an event: the room's, or for direct messages the sender's own.</summary>
    public HubMailbox OfSender(ConversationKey conversation, string sender) =>
        conversation.IsRoom ? Of(conversation.Value) : OfUser(sender);

    public void PostToAll(HubMessage message)
    {
        foreach (var mailbox in _mailboxes)
        {
            mailbox.Post(message);
        }
    }

    public void Add(HubMailbox mailbox) => _mailboxes.Add(mailbox);

    private HubMailbox Of(string key) => _mailboxes[LogPartitions.Of(key) % _mailboxes.Count];
}
