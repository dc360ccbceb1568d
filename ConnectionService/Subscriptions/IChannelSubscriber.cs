using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.Subscriptions;

/// <summary>A pub/sub channel that carries chat: a room's, or a user's.</summary>
internal readonly record struct ChatChannel(bool IsRoom, string Name)
{
    public static ChatChannel Room(string room) => new(true, room);

    public static ChatChannel User(string user) => new(false, user);

    /// <summary>The channel's name in Redis.</summary>
    public string Channel => IsRoom ? RedisChannels.Room(Name) : RedisChannels.User(Name);
}

/// <summary>Hears channels. Thread-safe; no call blocks.</summary>
internal interface IChannelListener
{
    /// <summary>A message of the channel, in the order of publication.</summary>
    void Received(ChatChannel channel, ReadOnlyMemory<byte> message);
}

/// <summary>Subscribes to channels. Thread-safe; a caller has at most one change of a channel under way.</summary>
internal interface IChannelSubscriber
{
    /// <summary>Messages of any channel may have been lost, and from now on none are. Raised on any thread.</summary>
    event Action? MayHaveMissed;

    /// <summary>
    /// True once Redis has confirmed: the listener hears every message that is published from now on, unless <see cref="MayHaveMissed"/> says
    /// otherwise. False when that was not possible in time.
    /// </summary>
    Task<bool> SubscribeAsync(ChatChannel channel, IChannelListener listener);

    /// <summary>The listener hears nothing of the channel after this.</summary>
    Task UnsubscribeAsync(ChatChannel channel);
}
