using AspireChat.ConnectionService.Subscriptions;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

internal enum SubscriptionState
{
    None,
    Subscribing,
    Subscribed,
    Unsubscribing,
}

/// <summary>
/// A hub's subscription to one channel. Changes never overlap: where the channel is wanted again while it is being given up, the hub waits until
/// it is gone, and then subscribes again. Belongs to one hub.
/// </summary>
internal sealed class ChannelSubscription(ChatChannel channel, HubContext hub)
{
    private const long Wanted = -1;

    private long _idleSince = Wanted;

    public SubscriptionState State { get; private set; }

    public bool IsLive => State == SubscriptionState.Subscribed;

    /// <summary>Starts subscribing unless a change is under way or done; the caller waits for the answer.</summary>
    public void Want()
    {
        _idleSince = Wanted;
        if (State != SubscriptionState.None)
        {
            return;
        }

        State = SubscriptionState.Subscribing;
        hub.Effects.Subscribe(channel);
    }

    /// <summary>
    /// Gives a channel up that was not wanted for <see cref="HubOptions.Linger"/>. True when nothing is left to do for it.
    /// </summary>
    public bool OnTick(bool wanted)
    {
        if (wanted)
        {
            _idleSince = Wanted;
        }
        else if (_idleSince == Wanted)
        {
            _idleSince = hub.Now;
        }

        if (IsLive && !wanted && hub.Now - _idleSince >= hub.Options.Linger.TotalMilliseconds)
        {
            State = SubscriptionState.Unsubscribing;
            hub.Effects.Unsubscribe(channel);
        }
        return State == SubscriptionState.None && !wanted;
    }

    public void Answered(bool subscribed) => State = subscribed ? SubscriptionState.Subscribed : SubscriptionState.None;
}
