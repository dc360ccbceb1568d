using System.Text;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>
/// Redis as the scripts make it, in memory: dense seqs, tails of bounded length, memberships, one epoch; every append is published in the
/// same step. Deterministic; not thread-safe.
/// </summary>
internal sealed class SimulatedLog(int tailLength)
{
    private readonly Dictionary<ConversationKey, Conversation> _conversations = [];
    private readonly HashSet<(string Room, string User)> _members = [];

    /// <summary>Every event ever accepted, for identity checks.</summary>
    private readonly Dictionary<(ConversationKey Key, string Epoch, long Seq), Guid> _ids = [];

    private readonly Dictionary<Guid, string> _epochs = [];
    private int _epoch = 1;
    private long _clock;
    private long _moves;

    public string Epoch => $"e{_epoch}";

    /// <summary>Set by the simulation: how a message reaches the replicas.</summary>
    public required Action<string, byte[]> Publish { get; init; }

    public long HeadOf(ConversationKey key) => Of(key).Head;

    public Guid? IdOf(ConversationKey key, string epoch, long seq) => _ids.TryGetValue((key, epoch, seq), out var id) ? id : null;

    public string EpochOf(Guid id) => _epochs[id];

    public bool IsMember(string room, string user) => _members.Contains((room, user));

    public AppendResult Append(ConversationEvent e)
    {
        var conversation = Of(e.Conversation);
        _moves++;
        var stored = e with { Seq = ++conversation.Head, Epoch = Epoch };
        conversation.Events[stored.Seq] = stored;
        _ids[(e.Conversation, Epoch, stored.Seq)] = e.Id;
        _epochs[e.Id] = Epoch;
        conversation.TailFrom = Math.Max(conversation.TailFrom, stored.Seq - tailLength + 1);
        byte[] message = [.. Encoding.ASCII.GetBytes($"E {Epoch} {stored.Seq} "), .. LogRecordCodec.Encode(e)];
        if (e.Conversation.IsRoom)
        {
            Publish(RedisChannels.Room(e.Conversation.RoomId), message);
        }
        else
        {
            var (first, second) = e.Conversation.Users;
            Publish(RedisChannels.User(first), message);
            if (first != second)
            {
                Publish(RedisChannels.User(second), message);
            }
        }
        return new AppendResult(AppendStatus.Accepted, e.Id, stored.Seq, Epoch, e.Timestamp, 0);
    }

    public JoinResult Join(string room, string user)
    {
        var head = Of(ConversationKey.Room(room)).Head;
        return new JoinResult(Epoch, head, head, _members.Add((room, user)), ++_clock);
    }

    /// <summary>Returns the moment.</summary>
    public long Leave(string room, string user)
    {
        _members.Remove((room, user));
        Publish(RedisChannels.User(user), Encoding.ASCII.GetBytes($"L {room} {++_clock}"));
        return _clock;
    }

    public RoomStrangers ReadStrangers(RoomUsers asked) =>
        new(asked.Room, Epoch, ++_clock, [.. asked.Users.Where(user => !IsMember(asked.Room, user))]);

    public TailSlice ReadTail(ConversationKey key, long after, int limit)
    {
        var conversation = Of(key);
        var events = new List<ConversationEvent>();
        for (var seq = after + 1; seq >= conversation.TailFrom && seq <= conversation.Head && events.Count < limit; seq++)
        {
            events.Add(conversation.Events[seq]);
        }

        return new TailSlice(events, conversation.Head, Epoch, events.Count > 0 || conversation.Head <= after);
    }

    public ConversationHead ReadHead(ConversationKey key) => new(Epoch, Of(key).Head, Of(key).Durable);

    /// <summary>Everything up to <paramref name="seq"/> is in the database; nobody is told.</summary>
    public void Commit(ConversationKey key, long seq)
    {
        Of(key).Durable = seq;
        _moves++;
    }

    /// <summary>The content is gone from the log; nobody is told.</summary>
    public void Redact(ConversationKey key, long seq)
    {
        var events = Of(key).Events;
        events[seq] = events[seq] with { Content = "", Deleted = true };
    }

    /// <summary>One number for all partitions: more moves than there are, never fewer.</summary>
    public PartitionPlace Place => new(Epoch, _moves);

    /// <summary>
    /// Redis lost everything and was seeded from a database that had not got the last <paramref name="lost"/> events of each conversation
    /// yet.
    /// </summary>
    public void Rebuild(int lost)
    {
        _epoch++;
        foreach (var conversation in _conversations.Values)
        {
            conversation.Head = Math.Max(0, conversation.Head - lost);
            conversation.TailFrom = conversation.Head + 1;
        }
    }

    private Conversation Of(ConversationKey key)
    {
        if (!_conversations.TryGetValue(key, out var conversation))
        {
            _conversations.Add(key, conversation = new Conversation());
        }

        return conversation;
    }

    private sealed class Conversation
    {
        public Dictionary<long, ConversationEvent> Events { get; } = [];

        public long Head { get; set; }

        public long Durable { get; set; }

        public long TailFrom { get; set; } = 1;
    }
}
