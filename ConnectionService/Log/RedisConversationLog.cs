using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Log;

/// <summary>The log in Redis: one publisher per partition, and the scripts of membership and cursors. Thread-safe.</summary>
internal sealed class RedisConversationLog : BackgroundService, IConversationLog
{
    private readonly IConnectionMultiplexer _redis;
    private readonly TimeProvider _time;
    private readonly ILogger<RedisConversationLog> _logger;
    private readonly PartitionPublisher[] _publishers;

    public RedisConversationLog(
        IConnectionMultiplexer redis,
        IOptions<ConversationLogOptions> options,
        ConversationLogMetrics metrics,
        TimeProvider time,
        ILogger<RedisConversationLog> logger)
    {
        _redis = redis;
        _time = time;
        _logger = logger;
        var faults = new AppendFaults(time, logger);
        _publishers = new PartitionPublisher[Partitions.Count];
        for (var i = 0; i < _publishers.Length; i++)
            _publishers[i] = new PartitionPublisher(i, redis, options.Value, metrics, time, faults);
    }

    public bool TryAppend(in AppendRequest request) => _publishers[request.Event.Conversation.Partition].TryPost(request);

    public async Task<JoinResult> JoinAsync(string room, string user, CancellationToken cancellationToken)
    {
        var key = ConversationKey.Room(room);
        var reply = await CallAsync(
            RedisScripts.Join,
            [RedisKeys.Epoch(key.Partition), RedisKeys.Conversation(key), RedisKeys.Members(key), RedisKeys.Log(key.Partition)],
            [key.Value, room, user, Now(), RedisChannels.LogBell(key.Partition)],
            cancellationToken);
        return new JoinResult((string)reply[0]!, (long)reply[1], (long)reply[2], (long)reply[3] == 1, (long)reply[4]);
    }

    public async Task<LeaveResult> LeaveAsync(string room, string user, CancellationToken cancellationToken)
    {
        var key = ConversationKey.Room(room);
        var reply = await CallAsync(
            RedisScripts.Leave,
            [RedisKeys.Epoch(key.Partition), RedisKeys.Members(key), RedisKeys.Log(key.Partition)],
            [key.Value, room, user, Now(), RedisChannels.LogBell(key.Partition), RedisChannels.User(user)],
            cancellationToken);
        return new LeaveResult((long)reply[1] == 1, (long)reply[2]);
    }

    public async Task<IReadOnlyList<RoomStrangers>> ReadStrangersAsync(
        IReadOnlyCollection<RoomUsers> rooms, CancellationToken cancellationToken)
    {
        var database = _redis.GetDatabase();
        // Pipelined: the calls leave together.
        var asked = rooms.Select(room => (room.Room, Reply: database.ScriptEvaluateAsync(
            RedisScripts.Members,
            [RedisKeys.Epoch(ConversationKey.Room(room.Room).Partition), RedisKeys.Members(ConversationKey.Room(room.Room))],
            [.. room.Users.Select(user => (RedisValue)user)]))).ToList();
        await GuardAsync(Task.WhenAll(asked.Select(room => room.Reply)), cancellationToken);
        var answer = new List<RoomStrangers>(asked.Count);
        foreach (var (room, task) in asked)
        {
            var reply = (RedisResult[])(await task)!;
            if ((string?)reply[0] is { Length: > 0 } epoch)
                answer.Add(new RoomStrangers(room, epoch, (long)reply[1], [.. reply.Skip(2).Select(user => (string)user!)]));
        }
        return answer;
    }

    public async Task<ReadResult> ReadAsync(ConversationKey conversation, string user, long seq, CancellationToken cancellationToken)
    {
        var (channel, second) = ConversationChannels.Of(conversation);
        var reply = await CallAsync(
            RedisScripts.Read,
            [
                RedisKeys.Epoch(conversation.Partition), RedisKeys.Conversation(conversation), RedisKeys.Members(conversation),
                RedisKeys.Log(conversation.Partition),
            ],
            [
                conversation.Value, user, seq, Now(), RedisChannels.LogBell(conversation.Partition), channel, second,
                conversation.IsRoom ? "1" : "0",
            ],
            cancellationToken);
        return new ReadResult((long)reply[1], (long)reply[2] == 1);
    }

    public async Task<TailSlice> ReadTailAsync(ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        // One transaction: head and epoch belong to exactly the entries that come with them.
        var transaction = _redis.GetDatabase().CreateTransaction();
        var epochTask = transaction.StringGetAsync(RedisKeys.Epoch(conversation.Partition));
        var headTask = transaction.HashGetAsync(RedisKeys.Conversation(conversation), "head");
        var entriesTask = transaction.StreamRangeAsync(RedisKeys.Tail(conversation), $"{afterSeq + 1}-0", "+", limit);
        var revisionsTask = transaction.HashGetAllAsync(RedisKeys.Revisions(conversation));
        await GuardAsync(transaction.ExecuteAsync(), cancellationToken);
        var epoch = (string?)await epochTask ?? throw Closed();
        var head = (long)await headTask;

        var revisions = (await revisionsTask).ToDictionary(revision => revision.Name, revision => revision.Value);
        var events = new List<ConversationEvent>();
        foreach (var entry in await entriesTask)
        {
            var seq = SeqOf(entry.Id);
            // A deleted message is no longer an entry; what is left of it stands in revisions.
            var next = afterSeq + events.Count + 1;
            while (next < seq && revisions.TryGetValue(next, out var redacted) && TryAdd(redacted, next))
                next++;
            if (next != seq || !TryAdd(entry["e"], seq))
                break;
        }
        return new TailSlice(events, head, epoch, events.Count > 0 || head <= afterSeq);

        bool TryAdd(RedisValue record, long seq)
        {
            if (LogRecordCodec.Decode(((ReadOnlyMemory<byte>)record).Span, seq, epoch) is ConversationEvent e)
            {
                events.Add(e);
                return true;
            }
            ConversationLogMessages.UnreadableRecord(_logger, conversation.Value, seq);
            return false;
        }
    }

    public async Task<IReadOnlyDictionary<ConversationKey, ConversationHead>> ReadHeadsAsync(
        IReadOnlyCollection<ConversationKey> conversations, CancellationToken cancellationToken)
    {
        var database = _redis.GetDatabase();
        var epochs = new Dictionary<int, Task<RedisValue>>();
        var heads = new List<(ConversationKey Key, Task<RedisValue[]> State)>(conversations.Count);
        // Pipelined: the calls leave together and cost one round trip.
        foreach (var key in conversations)
        {
            if (!epochs.ContainsKey(key.Partition))
                epochs.Add(key.Partition, database.StringGetAsync(RedisKeys.Epoch(key.Partition)));
            heads.Add((key, database.HashGetAsync(RedisKeys.Conversation(key), ["head", "durable"])));
        }
        await GuardAsync(Task.WhenAll([.. epochs.Values, .. heads.Select(head => head.State)]), cancellationToken);

        var answer = new Dictionary<ConversationKey, ConversationHead>(heads.Count);
        foreach (var (key, state) in heads)
        {
            if ((string?)await epochs[key.Partition] is { } epoch)
                answer[key] = new ConversationHead(epoch, (long)(await state)[0], (long)(await state)[1]);
        }
        return answer;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var publisher in _publishers)
            publisher.Complete();
        if (ExecuteTask is { } loops)
            await Task.WhenAny(loops, Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken));
        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_publishers.Select(publisher => publisher.RunAsync(stoppingToken)));

    /// <summary>The reply of a script whose first item is the epoch.</summary>
    private async Task<RedisResult[]> CallAsync(string script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var call = _redis.GetDatabase().ScriptEvaluateAsync(script, keys, arguments);
        await GuardAsync(call, cancellationToken);
        var reply = (RedisResult[])(await call)!;
        return (string?)reply[0] is "" ? throw Closed() : reply;
    }

    /// <summary>Turns what Redis calls its many ways of being away into the one that callers know.</summary>
    private async Task GuardAsync(Task call, CancellationToken cancellationToken)
    {
        try
        {
            await call.WaitAsync(cancellationToken);
        }
        catch (Exception e) when (ServiceDefaults.RedisFaults.Is(e) || e is TimeoutException or ObjectDisposedException)
        {
            throw new LogUnavailableException("Redis can't be reached.", e);
        }
    }

    private static LogUnavailableException Closed() => new("The partition is closed: Redis is new or was emptied, and PersistenceService has not opened it yet.");

    private static long SeqOf(RedisValue entryId)
    {
        var id = (string)entryId!;
        return long.Parse(id.AsSpan(0, id.IndexOf('-')), CultureInfo.InvariantCulture);
    }

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();
}
