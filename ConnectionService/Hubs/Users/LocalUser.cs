using AspireChat.ConnectionService.Hubs.Feeds;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Outbound;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Users;

/// <summary>
/// A user with connections to this replica: the subscription of the user's channel, the connections that are welcomed once it lives, and
/// the direct conversations. Belongs to one hub.
/// </summary>
internal sealed class LocalUser(string name, HubContext hub)
{
    private const int MostPassedOver = 16;

    private readonly ChannelSubscription _subscription = new(ChatChannel.User(name), hub);
    private readonly Dictionary<ConversationKey, LinkedListNode<DirectConversation>> _directs = [];

    /// <summary>The same conversations; the one used least recently comes first.</summary>
    private readonly LinkedList<DirectConversation> _byUse = new();

    private readonly List<Connection> _waiting = [];

    public string Name { get; } = name;

    /// <summary>The welcomed connections.</summary>
    public List<Connection> Connections { get; } = [];

    public IEnumerable<Feed> Feeds => _byUse.Select(direct => direct.Feed);

    public void Open(Connection connection)
    {
        if (connection.IsClosed)
        {
            return;
        }

        if (_subscription.IsLive)
        {
            Welcome(connection);
            return;
        }
        _waiting.Add(connection);
        _subscription.Want();
    }

    public void Subscribed(bool success)
    {
        _subscription.Answered(success);
        foreach (var connection in _waiting)
        {
            if (success)
            {
                Welcome(connection);
                continue;
            }
            connection.Outbound.Close(CloseCodes.Overloaded, "not ready, reconnect later");
            connection.SetWelcomed(false);
        }
        _waiting.Clear();
    }

    public void Unsubscribed()
    {
        _subscription.Answered(subscribed: false);
        foreach (var direct in _byUse)
        {
            direct.Retire();
        }

        _directs.Clear();
        _byUse.Clear();
        if (_waiting.Count > 0)
        {
            _subscription.Want();
        }
    }

    public void Remove(Connection connection)
    {
        _waiting.Remove(connection);
        Connections.Remove(connection);
        foreach (var direct in _byUse)
        {
            direct.Remove(connection);
        }
    }

    /// <summary>A message of the user's channel.</summary>
    public void Receive(PubSubMessage message)
    {
        switch (message)
        {
            case PubSubMessage.Events events:
                foreach (var e in events.Batch.Decode())
                {
                    if (e.Conversation.HasUser(Name))
                    {
                        Follow(e.Conversation).ReceiveLive(new EncodedEvent(e));
                    }
                }
                break;
            case PubSubMessage.Frame frame:
                Forward(OutboundFrame.Of(frame.Json.Span));
                break;
            case PubSubMessage.Left left:
                hub.Effects.PostToRoom(left.Room, new HubMessage.MembershipEnded(left.Room, Name, left.At, left.Reason.Length == 0 ? null : left.Reason));
                break;
            case PubSubMessage.Durable durable when Find(durable.Conversation) is { } direct:
                direct.Feed.DurableHeard(durable.Epoch, durable.Seq);
                break;
            case PubSubMessage.Erased erased when Find(erased.Conversation) is { } direct:
                direct.Feed.ForgetContent();
                break;
            case PubSubMessage.Read read when ConversationKey.TryParse(read.Conversation, out var key) && key.HasUser(Name):
                Forward(OutboundFrame.Of(new ReadFrame(read.User, null, key.Other(Name), read.Seq)));
                break;
            case PubSubMessage.Kick:
                Kick(long.MaxValue);
                break;
            case PubSubMessage.Profile profile:
                Show(ProfileJson.Decode(profile.Json));
                break;
        }
    }

    /// <summary>
    /// The conversation, followed from now on. Where <see cref="HubOptions.DirectConversations"/> are followed already, the one that was used least
    /// recently is forgotten. One that is busy is passed over, unless many are: making room must not take long.
    /// </summary>
    public DirectConversation Follow(ConversationKey key)
    {
        if (_directs.TryGetValue(key, out var node))
        {
            _byUse.Remove(node);
            _byUse.AddLast(node);
            return node.Value;
        }

        if (_directs.Count >= hub.Options.DirectConversations)
        {
            Forget(_byUse.Take(MostPassedOver).FirstOrDefault(direct => !direct.Feed.IsBusy) ?? _byUse.First!.Value);
        }
        node = _byUse.AddLast(new DirectConversation(key, Name, Connections, hub));
        _directs.Add(key, node);
        return node.Value;
    }

    public DirectConversation? Find(ConversationKey key) => _directs.GetValueOrDefault(key)?.Value;

    /// <summary>Something may have been missed on the user's channel.</summary>
    public void Repair()
    {
        foreach (var direct in _byUse)
        {
            direct.Feed.ForgetContent();
            direct.Feed.Repair();
        }
    }

    /// <summary>An operator disconnects the user: what was opened up to the moment (Unix milliseconds) closes.</summary>
    public void Kick(long at)
    {
        foreach (var connection in Connections.Concat(_waiting).Where(connection => connection.OpenedAt <= at))
        {
            connection.Outbound.Close(CloseCodes.Forbidden, "disconnected by an operator");
        }
    }

    /// <summary>Tokens issued up to the moment (Unix milliseconds) are revoked: what they opened closes.</summary>
    public void Revoke(long until)
    {
        foreach (var connection in Connections.Concat(_waiting).Where(connection => connection.IssuedAt <= until))
        {
            connection.Outbound.Close(CloseCodes.Forbidden, "the token was revoked");
        }
    }

    public void CloseExpired()
    {
        foreach (var connection in Connections)
        {
            if (connection.Expires <= hub.UnixNow)
            {
                connection.Outbound.Close(CloseCodes.TokenExpired, "token expired");
            }
        }
    }

    /// <summary>True when nothing is left of the user here.</summary>
    public bool OnTick() => _subscription.OnTick(Connections.Count > 0 || _waiting.Count > 0);

    private void Show(UserProfile? profile)
    {
        foreach (var connection in Connections.Concat(_waiting))
        {
            connection.Show(profile);
        }
        hub.Effects.ProfileChanged(Name);
    }

    private DirectConversation? Find(string key) => ConversationKey.TryParse(key, out var parsed) ? Find(parsed) : null;

    private void Forget(DirectConversation direct)
    {
        direct.Retire();
        _byUse.Remove(direct);
        _directs.Remove(direct.Feed.Id.Key);
    }

    private void Forward(OutboundFrame frame)
    {
        foreach (var connection in Connections)
        {
            connection.Outbound.SendEphemeral(frame);
        }
    }

    private void Welcome(Connection connection)
    {
        connection.Outbound.Send(connection.Welcome);
        connection.Welcome = default;
        Connections.Add(connection);
        connection.SetWelcomed(true);
    }
}
