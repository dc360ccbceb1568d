using AspireChat.ConnectionService.Hubs;

namespace AspireChat.ConnectionService.Subscriptions;

/// <summary>Pub/sub for hubs. Thread-safe; a caller has at most one change of a channel under way.</summary>
internal interface IChannelSubscriber
{
    /// <summary>
    /// True once Redis has confirmed: every message published from now on is posted to the mailbox in order, unless the connection is lost
    /// (then all hubs hear <see cref="HubMessage.Restored"/>). False when that was not possible in time.
    /// </summary>
    Task<bool> SubscribeAsync(HubChannel channel, HubMailbox mailbox);

    /// <summary>No message of the channel is posted after this.</summary>
    Task UnsubscribeAsync(HubChannel channel);
}
