using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Hubs.Simulation;
using AspireChat.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace AspireChat.Tests.Hubs;

/// <summary>One hub in a world where everything asked of the log succeeds at once, unless the test says otherwise.</summary>
internal sealed class HubHarness : IHubEffects
{
    private readonly Queue<HubMessage> _inbox = new();
    private readonly Hub _hub;
    private long _now;

    public HubHarness(HubOptions? options = null) =>
        _hub = new Hub(options ?? new HubOptions(), retryAfter: 1_000, this, new HubMetrics(new Meters()), NullLogger.Instance);

    public SimulatedLog Log { get; } = new(1_000) { Publish = (_, _) => { } };

    /// <summary>The hub wants its next tick soon.</summary>
    public bool IsWaiting => _hub.IsWaiting;

    /// <summary>What the hub asked for, as <c>tail r:lobby 3</c>.</summary>
    public List<string> Asked { get; } = [];

    public List<(string Room, string User, bool Member)> Memberships { get; } = [];

    /// <summary>Rooms that are to be told their presence again.</summary>
    public List<string> Missed { get; } = [];

    /// <summary>Answers stay under way until <see cref="Release"/>.</summary>
    public bool HoldTails { get; set; }

    public bool HoldPresence { get; set; }

    /// <summary>The log can't be reached for joins.</summary>
    public bool FailJoins { get; set; }

    private Queue<HubMessage> Held { get; } = new();

    /// <param name="bytes">Of the connection's queue.</param>
    public (Connection Connection, SimulatedOutbound Outbound) Connect(
        string user, long openedAt = 0, int bytes = 1024 * 1024, TokenBucket? budget = null)
    {
        var outbound = new SimulatedOutbound(bytes);
        var connection = new Connection($"{user}-{Asked.Count}", user, outbound, long.MaxValue)
        {
            Welcome = OutboundFrame.Of("{\"type\":\"welcome\"}"u8), OpenedAt = openedAt, ReplayBudget = budget,
        };
        Post(new HubMessage.Opened(connection));
        Assert.Equal(["welcome"], Read(outbound).Select(TypeOf));
        return (connection, outbound);
    }

    public (Connection Connection, SimulatedOutbound Outbound) Join(string user, string room, long? since = null)
    {
        var (connection, outbound) = Connect(user);
        Post(new HubMessage.Join(connection, room, new RoomPass(), since, null, null));
        return (connection, outbound);
    }

    public void Post(HubMessage message)
    {
        _inbox.Enqueue(message);
        while (_inbox.TryDequeue(out var next))
        {
            _hub.Handle(next);
        }
    }

    public void Tick(long milliseconds)
    {
        _now += milliseconds;
        Post(new HubMessage.Tick(_now, _now));
    }

    /// <summary>A message on the room's or the user's channel.</summary>
    public void Publish(ChatChannel channel, string message) => Post(new HubMessage.Payload(channel, Encoding.UTF8.GetBytes(message)));

    /// <summary>Appends to the log and, unless it is lost, publishes.</summary>
    public ConversationEvent Append(ConversationKey key, string from, bool lost = false, EventKind kind = EventKind.Room, long target = 0)
    {
        var e = new ConversationEvent
        {
            Kind = key.IsRoom ? kind : EventKind.Dm, Conversation = key, Id = Guid.NewGuid(), From = from, Nonce = "n", Timestamp = 1,
            Target = target,
            Content = kind == EventKind.Delete ? null : $"content {Log.HeadOf(key) + 1}",
        };
        var result = Log.Append(e);
        e = e with { Seq = result.Seq, Epoch = result.Epoch };
        if (!lost)
        {
            Publish(key.IsRoom ? ChatChannel.Room(key.RoomId) : ChatChannel.User(from),
                $"E {e.Epoch} {e.Seq} {Encoding.UTF8.GetString(LogRecordCodec.Encode(e))}");
        }

        return e;
    }

    public void Release()
    {
        HoldTails = HoldPresence = false;
        while (Held.TryDequeue(out var answer))
        {
            Post(answer);
        }
    }

    public static List<JsonElement> Read(SimulatedOutbound outbound)
    {
        var frames = new List<JsonElement>();
        while (outbound.HasFrames)
        {
            frames.Add(JsonDocument.Parse(outbound.Read()).RootElement);
        }

        return frames;
    }

    public static string TypeOf(JsonElement frame) => frame.GetProperty("type").GetString()!;

    public static long SeqOf(JsonElement frame) => frame.GetProperty("seq").GetInt64();

    public void Subscribe(ChatChannel channel) => Answer($"subscribe {channel.Name}", new HubMessage.Subscribed(channel, true));

    public void Unsubscribe(ChatChannel channel) => Answer($"unsubscribe {channel.Name}", new HubMessage.Unsubscribed(channel));

    public void Join(string room, string user, long token, int? rights) =>
        Answer($"join {room} {user}", new HubMessage.JoinAnswer(room, token, FailJoins ? null : Log.Join(room, user)));

    public void Rejoin(string room, string user, long token)
    {
        if (!FailJoins)
        {
            Log.Join(room, user);
        }
        Answer($"join {room} {user}", new HubMessage.RejoinAnswer(room, token, !FailJoins));
    }

    public void Leave(string room, string user)
    {
        Answer($"leave {room} {user}", new HubMessage.LeaveAnswer(room, user, Log.Leave(room, user)));
    }

    public void ReadMembers(IReadOnlyCollection<RoomUsers> rooms) =>
        Answer("members", new HubMessage.MembersAnswer([.. rooms.Select(Log.ReadStrangers)]));

    public void ReadPresence(string room)
    {
        Asked.Add($"presence {room}");
        (HoldPresence ? Held : _inbox).Enqueue(new HubMessage.PresenceAnswer(room, RoomPresence.Unknown));
    }

    public void ReadForRepair(FeedId feed, long afterSeq, int limit, long token) =>
        AnswerTail(feed, afterSeq, new HubMessage.RepairAnswer(feed, token, Log.ReadTail(feed.Key, afterSeq, limit)));

    public void ReadForReplay(FeedId feed, long afterSeq, int limit, long token) =>
        AnswerTail(feed, afterSeq, new HubMessage.ReplayAnswer(feed, token, Log.ReadTail(feed.Key, afterSeq, limit)));

    public void ReadPlaces(IReadOnlyCollection<int> partitions) =>
        Answer("places", new HubMessage.PlacesAnswer(partitions.ToDictionary(partition => partition, _ => Log.Place)));

    public void ReadHeads(IReadOnlyCollection<ConversationKey> conversations) =>
        Answer("heads", new HubMessage.HeadsAnswer(conversations.ToDictionary(key => key, Log.ReadHead)));

    /// <summary>What is known of removals is old.</summary>
    public bool RemovalsUnknown { get; set; }

    public bool KnowsRemovals(TimeSpan age) => !RemovalsUnknown;

    public void RemovalsHandled(long round)
    {
    }

    public void PostToRoom(string room, HubMessage message) => _inbox.Enqueue(message);

    public void PostToSelf(HubMessage message) => _inbox.Enqueue(message);

    /// <summary>Users whose profile changed.</summary>
    public List<string> Shown { get; } = [];

    public void MembershipChanged(string room, string user, bool member) => Memberships.Add((room, user, member));

    public void PresenceMissed(string room) => Missed.Add(room);

    public void ProfileChanged(string user) => Shown.Add(user);

    private void AnswerTail(FeedId feed, long afterSeq, HubMessage answer)
    {
        Asked.Add($"tail {feed.Key} {afterSeq}");
        (HoldTails ? Held : _inbox).Enqueue(answer);
    }

    private void Answer(string asked, HubMessage answer)
    {
        Asked.Add(asked);
        _inbox.Enqueue(answer);
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
