using System.Diagnostics.Metrics;
using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>
/// A replica: real hubs, a simulated world around them. Each thing that takes time in reality (a call to Redis and its answer, a message on
/// its way, a mailbox) is a step that the simulation takes when it likes. Not thread-safe.
/// </summary>
internal sealed class SimulatedNode
{
    private readonly SimulatedLog _log;
    private readonly Random _random;
    private readonly Plan _plan;
    private readonly List<Hub> _hubs = [];

    /// <summary>Calls to Redis under way: carried out first, answered later, in any order.</summary>
    private readonly List<Call> _calls = [];

    /// <summary>What Redis has sent on the pub/sub connection, in order.</summary>
    private readonly Queue<(string Channel, byte[] Bytes)> _wire = new();

    /// <summary>Channels that Redis knows of.</summary>
    private readonly Dictionary<string, (ChatChannel Channel, int Hub)> _subscribed = [];

    /// <summary>Channels that the client library wants, and will subscribe again after a reconnect.</summary>
    private readonly Dictionary<string, (ChatChannel Channel, int Hub)> _wanted = [];

    private readonly Queue<string> _resubscribe = new();
    private readonly Queue<(Connection Connection, ConversationEvent Event)> _sends = new();
    private long _now;

    public SimulatedNode(SimulatedLog log, HubOptions options, Random random, Plan plan)
    {
        _log = log;
        _random = random;
        _plan = plan;
        var metrics = new HubMetrics(new SilentMeters());
        for (var i = 0; i < 2; i++)
        {
            _hubs.Add(new Hub(options, retryAfter: 1_000, new Effects(this, i), metrics, NullLogger.Instance));
        }
    }

    public bool Connected { get; private set; } = true;

    public List<Queue<HubMessage>> Inboxes { get; } = [new(), new()];

    public bool IsIdle => _calls.Count == 0 && _wire.Count == 0 && _sends.Count == 0 && Connected
        && Inboxes.TrueForAll(inbox => inbox.Count == 0);

    public int HubOfRoom(string room) => LogPartitions.Of(ConversationKey.Room(room).Value) % _hubs.Count;

    public int HubOfUser(string user) => LogPartitions.Of(user) % _hubs.Count;

    public void Post(int hub, HubMessage message) => Inboxes[hub].Enqueue(message);

    public void PostToAll(HubMessage message)
    {
        for (var i = 0; i < _hubs.Count; i++)
        {
            Post(i, message);
        }
    }

    public void Send(Connection connection, ConversationEvent e) => _sends.Enqueue((connection, e));

    /// <summary>Redis publishes to this replica.</summary>
    public void Publish(string channel, byte[] message)
    {
        if (!Connected || !_subscribed.ContainsKey(channel))
        {
            return;
        }
        // A leave has its own safety net, tried by cutting the connection.
        if (message[0] == (byte)'E' && _plan.Happens(_random, _plan.Lost))
        {
            return;
        }

        _wire.Enqueue((channel, message));
        if (message[0] == (byte)'E' && _plan.Happens(_random, _plan.Repeated))
        {
            _wire.Enqueue((channel, message));
        }
    }

    /// <summary>Takes one step of something under way; false when there is nothing.</summary>
    public bool Step()
    {
        var choices = new List<Action>();
        for (var i = 0; i < _hubs.Count; i++)
        {
            var hub = i;
            if (Inboxes[hub].Count > 0)
            {
                choices.Add(() => Handle(hub));
            }
        }
        if (_wire.Count > 0)
        {
            choices.Add(Deliver);
        }

        if (_calls.Count > 0)
        {
            choices.Add(Advance);
        }

        if (_sends.Count > 0)
        {
            choices.Add(Append);
        }

        if (Connected && _resubscribe.Count > 0)
        {
            choices.Add(Resubscribe);
        }

        if (choices.Count == 0)
        {
            return false;
        }

        choices[_random.Next(choices.Count)]();
        return true;
    }

    public void Tick(long milliseconds)
    {
        _now += milliseconds;
        PostToAll(new HubMessage.Tick(_now, _now));
    }

    /// <summary>The pub/sub connection breaks: what is on the wire is gone, and so are Redis' subscriptions.</summary>
    public void Disconnect()
    {
        Connected = false;
        _wire.Clear();
        _subscribed.Clear();
        _resubscribe.Clear();
    }

    /// <summary>The client library is back and subscribes channel by channel, while the hubs already know.</summary>
    public void Reconnect()
    {
        Connected = true;
        foreach (var channel in _wanted.Keys)
        {
            _resubscribe.Enqueue(channel);
        }

        PostToAll(new HubMessage.Restored());
    }

    private void Handle(int hub)
    {
        var message = Inboxes[hub].Dequeue();
        if (!_plan.Swallows(message))
        {
            _hubs[hub].Handle(message);
        }
    }

    private void Deliver()
    {
        var (channel, bytes) = _wire.Dequeue();
        if (!_wanted.TryGetValue(channel, out var owner))
        {
            return;
        }

        if (bytes[0] == (byte)'E' && _plan.Happens(_random, _plan.Overflow))
        {
            Post(owner.Hub, new HubMessage.Overflowed(owner.Channel));
        }
        else
        {
            Post(owner.Hub, new HubMessage.Payload(owner.Channel, bytes));
        }
    }

    private void Resubscribe()
    {
        var channel = _resubscribe.Dequeue();
        if (_wanted.TryGetValue(channel, out var owner))
        {
            _subscribed[channel] = owner;
        }
        // The probe is heard again.
        if (_resubscribe.Count == 0)
        {
            PostToAll(new HubMessage.Restored());
        }
    }

    private void Append()
    {
        var (connection, e) = _sends.Dequeue();
        var result = _plan.Happens(_random, _plan.Unavailable) ? AppendResult.Unavailable(1_000) : _log.Append(e);
        Post(e.Conversation.IsRoom ? HubOfRoom(e.Conversation.RoomId) : HubOfUser(e.From), new HubMessage.Appended(connection, e, result));
    }

    private void Advance()
    {
        var call = _calls[_random.Next(_calls.Count)];
        if (call.Answer is { } answer)
        {
            _calls.Remove(call);
            Post(call.Hub, answer);
            return;
        }
        // Failing before or after it was carried out: the caller cannot tell.
        var fails = call.Failed is not null && _plan.Happens(_random, _plan.Unavailable);
        if (fails && _random.Next(2) == 0)
        {
            call.Answer = call.Failed!();
        }
        else
        {
            call.Answer = call.Run() is var done && fails ? call.Failed!() : done;
        }
    }

    private sealed class Effects(SimulatedNode node, int hub) : IHubEffects
    {
        private readonly HashSet<ChatChannel> _changing = [];

        public void Subscribe(ChatChannel channel)
        {
            Assert.True(_changing.Add(channel), $"two changes of {channel} under way");
            node._wanted[channel.Channel] = (channel, hub);
            Start(
                () =>
                {
                    _changing.Remove(channel);
                    if (node.Connected)
                    {
                        node._subscribed[channel.Channel] = (channel, hub);
                    }
                    else
                    {
                        node._wanted.Remove(channel.Channel);
                    }

                    return new HubMessage.Subscribed(channel, node.Connected);
                },
                null);
        }

        public void Unsubscribe(ChatChannel channel)
        {
            Assert.True(_changing.Add(channel), $"two changes of {channel} under way");
            Start(
                () =>
                {
                    _changing.Remove(channel);
                    node._wanted.Remove(channel.Channel);
                    node._subscribed.Remove(channel.Channel);
                    return new HubMessage.Unsubscribed(channel);
                },
                null);
        }

        public bool KnowsRemovals(TimeSpan age) => true;

        public void RemovalsHandled(long round)
        {
        }

        public void Join(string room, string user, long token, int? rights) => Start(
            () => new HubMessage.JoinAnswer(room, token, node._plan.Alter(node._log.Join(room, user))),
            () => new HubMessage.JoinAnswer(room, token, null));

        public void Rejoin(string room, string user, long token) => Start(
            () =>
            {
                node._log.Join(room, user);
                return new HubMessage.RejoinAnswer(room, token, Written: true);
            },
            () => new HubMessage.RejoinAnswer(room, token, Written: false));

        public void Leave(string room, string user) => Start(
            () => new HubMessage.LeaveAnswer(room, user, node._log.Leave(room, user)),
            () => new HubMessage.LeaveAnswer(room, user, null));

        public void ReadMembers(IReadOnlyCollection<RoomUsers> rooms) => Start(
            () => new HubMessage.MembersAnswer([.. rooms.Select(node._log.ReadStrangers)]),
            () => new HubMessage.MembersAnswer(null));

        public void ReadPresence(string room) => Start(() => new HubMessage.PresenceAnswer(room, RoomPresence.Unknown), null);

        public void ReadForRepair(FeedId feed, long afterSeq, int limit, long token) => Start(
            () => new HubMessage.RepairAnswer(feed, token, node._plan.Alter(node._log.ReadTail(feed.Key, afterSeq, limit))),
            () => new HubMessage.RepairAnswer(feed, token, null));

        public void ReadForReplay(FeedId feed, long afterSeq, int limit, long token) => Start(
            () => new HubMessage.ReplayAnswer(feed, token, node._plan.Alter(node._log.ReadTail(feed.Key, afterSeq, limit))),
            () => new HubMessage.ReplayAnswer(feed, token, null));

        public void ReadPlaces(IReadOnlyCollection<int> partitions) => Start(
            () => new HubMessage.PlacesAnswer(partitions.ToDictionary(partition => partition, _ => node._log.Place)),
            () => new HubMessage.PlacesAnswer(null));

        public void ReadHeads(IReadOnlyCollection<ConversationKey> conversations) => Start(
            () => new HubMessage.HeadsAnswer(conversations.ToDictionary(key => key, node._log.ReadHead)),
            () => new HubMessage.HeadsAnswer(null));

        public void PostToRoom(string room, HubMessage message) => node.Post(node.HubOfRoom(room), message);

        public void PostToSelf(HubMessage message) => node.Post(hub, message);

        public void MembershipChanged(string room, string user, bool member)
        {
        }

        public void PresenceMissed(string room)
        {
        }

        public void ProfileChanged(string user)
        {
        }

        private void Start(Func<HubMessage> run, Func<HubMessage>? failed) => node._calls.Add(new Call(hub, run, failed));
    }

    private sealed class Call(int hub, Func<HubMessage> run, Func<HubMessage>? failed)
    {
        public int Hub => hub;

        public Func<HubMessage> Run => run;

        public Func<HubMessage>? Failed => failed;

        public HubMessage? Answer { get; set; }
    }

    private sealed class SilentMeters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
