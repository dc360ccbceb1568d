using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Log;

/// <summary>The log in Redis: one publisher per partition, and the scripts of membership and cursors. Thread-safe.</summary>
internal sealed partial class RedisConversationLog : BackgroundService, IConversationLog
{
    /// <summary>What join.lua answers of a member, of a user who would create the room, and of one who would be one too many.</summary>
    private const long WasMember = 0, NoSuchRoom = -2, RoomIsFull = -3;

    /// <summary>What leave.lua answers of the last owner of a room with other members.</summary>
    private const long IsLastOwner = -4;

    /// <summary>Members of one room asked for in one call: well under a millisecond of Redis, and Lua passes no more than 8,000 on.</summary>
    private const int UsersPerCall = 1_000;

    /// <summary>Conversations in one call of heads.lua: a third of a millisecond of Redis.</summary>
    private const int HeadsPerCall = 500;

    /// <summary>How long a join counts although its outcome is not known: longer than any caller waits.</summary>
    private static readonly TimeSpan JoinTime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan CreationPeriod = TimeSpan.FromHours(1);

    private readonly IConnectionMultiplexer _redis;
    private readonly ConversationLogOptions _options;
    private readonly RoomOptions _rooms;
    private readonly TimeProvider _time;
    private readonly ILogger<RedisConversationLog> _logger;
    private readonly PartitionPublisher[] _publishers;

    public RedisConversationLog(
        IConnectionMultiplexer redis,
        IOptions<ConversationLogOptions> options,
        IOptions<RoomOptions> rooms,
        ConversationLogMetrics metrics,
        TimeProvider time,
        ILogger<RedisConversationLog> logger)
    {
        _redis = redis;
        _options = options.Value;
        _rooms = rooms.Value;
        _time = time;
        _logger = logger;
        var faults = new AppendFaults(time, logger);
        _publishers = new PartitionPublisher[LogPartitions.Count];
        for (var i = 0; i < _publishers.Length; i++)
        {
            _publishers[i] = new PartitionPublisher(i, redis, options.Value, metrics, time, faults);
        }
    }

    public bool TryAppend(in AppendRequest request) => _publishers[request.Event.Conversation.Partition].TryPost(request);

    public Task<JoinResult> JoinAsync(string room, string user, CancellationToken cancellationToken, int? rights = null) =>
        JoinAsync(room, user, rights, again: false, cancellationToken);

    public Task<JoinResult> RejoinAsync(string room, string user, CancellationToken cancellationToken) =>
        JoinAsync(room, user, rights: null, again: true, cancellationToken);

    private async Task<JoinResult> JoinAsync(string room, string user, int? rights, bool again, CancellationToken cancellationToken)
    {
        // Most joins are of members who come back: they cost one call. Only a new member is counted.
        var (known, found) = await JoinAsync(room, user, rights, again, look: true, cancellationToken);
        if (found == WasMember || known.Refusal != JoinRefusal.None)
        {
            return known;
        }

        var refusal = await AdmitAsync(room, user, creates: found == NoSuchRoom, cancellationToken);
        if (refusal != JoinRefusal.None)
        {
            return known with { Refusal = refusal };
        }

        var (joined, _) = await JoinAsync(room, user, rights, again, look: false, cancellationToken);
        var database = _redis.GetDatabase();
        if (joined.Refusal == JoinRefusal.None)
        {
            database.SetAdd(RedisKeys.UserRooms(user), room, CommandFlags.FireAndForget);
        }

        database.SortedSetRemove(RedisKeys.UserJoins(user), room, CommandFlags.FireAndForget);
        return joined;
    }

    public async Task<LeaveResult> LeaveAsync(string room, string user, CancellationToken cancellationToken)
    {
        var key = ConversationKey.Room(room);
        var reply = await CallAsync(
            RedisScripts.Leave,
            RedisKeys.OfMembership(key),
            [key.Value, room, user, Now(), RedisChannels.LogBell(key.Partition), RedisChannels.User(user)],
            cancellationToken);
        if ((long)reply[1] == IsLastOwner)
        {
            return new LeaveResult(WasMember: true, (long)reply[2], IsLastOwner: true);
        }

        _redis.GetDatabase().SetRemove(RedisKeys.UserRooms(user), room, CommandFlags.FireAndForget);
        return new LeaveResult((long)reply[1] == 1, (long)reply[2]);
    }

    public async Task<IReadOnlyList<RoomStrangers>> ReadStrangersAsync(
        IReadOnlyCollection<RoomUsers> rooms, CancellationToken cancellationToken)
    {
        var database = _redis.GetDatabase();
        // Pipelined: the calls leave together.
        var asked = rooms.SelectMany(room => room.Users.Chunk(UsersPerCall).Select(users => (room.Room, Reply: database.ScriptEvaluateAsync(
            RedisScripts.Members,
            [
                RedisKeys.Epoch(ConversationKey.Room(room.Room).Partition), RedisKeys.Members(ConversationKey.Room(room.Room)),
                RedisKeys.Conversation(ConversationKey.Room(room.Room)),
            ],
            [.. users.Select(user => (RedisValue)user)])))).ToList();
        await GuardAsync(Task.WhenAll(asked.Select(room => room.Reply)), cancellationToken);
        var answer = new List<RoomStrangers>(asked.Count);
        foreach (var (room, task) in asked)
        {
            var reply = (RedisResult[])(await task)!;
            if ((string?)reply[0] is { Length: > 0 } epoch)
            {
                answer.Add(new RoomStrangers(room, epoch, (long)reply[1], [.. reply.Skip(2).Select(user => (string)user!)]));
            }
        }
        return answer;
    }

    public async Task<ReadResult> ReadAsync(ConversationKey conversation, string user, long seq, CancellationToken cancellationToken)
    {
        var (channel, second) = RedisChannels.Of(conversation);
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
        var reading = TailReader.ReadAfterAsync(_redis.GetDatabase(), conversation, afterSeq, limit);
        await GuardAsync(reading, cancellationToken);
        var slice = await reading ?? throw Closed();
        if (slice.Unreadable > 0)
        {
            UnreadableRecord(_logger, conversation.Value, slice.Unreadable);
        }

        return slice;
    }

    public async Task<IReadOnlyDictionary<int, PartitionPlace>> ReadPlacesAsync(
        IReadOnlyCollection<int> partitions, CancellationToken cancellationToken)
    {
        var database = _redis.GetDatabase();
        // Pipelined, one call for each: partitions are in slots of their own.
        var asked = partitions.Select(partition => (Partition: partition, Place: database.StringGetAsync(
            [RedisKeys.Epoch(partition), RedisKeys.Moves(partition)]))).ToList();
        await GuardAsync(Task.WhenAll(asked.Select(call => call.Place)), cancellationToken);
        var answer = new Dictionary<int, PartitionPlace>(asked.Count);
        foreach (var (partition, call) in asked)
        {
            var place = await call;
            if ((string?)place[0] is { } epoch)
            {
                answer[partition] = new PartitionPlace(epoch, (long)place[1]);
            }
        }
        return answer;
    }

    public async Task<IReadOnlyDictionary<ConversationKey, ConversationHead>> ReadHeadsAsync(
        IReadOnlyCollection<ConversationKey> conversations, CancellationToken cancellationToken)
    {
        var database = _redis.GetDatabase();
        // Pipelined: the calls leave together and cost one round trip.
        var asked = conversations.GroupBy(key => key.Partition)
            .SelectMany(partition => partition.Chunk(HeadsPerCall).Select(keys => (Keys: keys, Reply: database.ScriptEvaluateAsync(
                RedisScripts.Heads, [RedisKeys.Epoch(partition.Key), .. keys.Select(key => (RedisKey)RedisKeys.Conversation(key))]))))
            .ToList();
        await GuardAsync(Task.WhenAll(asked.Select(call => call.Reply)), cancellationToken);

        var answer = new Dictionary<ConversationKey, ConversationHead>(conversations.Count);
        foreach (var (keys, call) in asked)
        {
            var reply = (RedisResult[])(await call)!;
            if ((string?)reply[0] is { Length: > 0 } epoch)
            {
                for (var i = 0; i < keys.Length; i++)
                {
                    var life = (string)reply[3 + 3 * i]!;
                    answer[keys[i]] = new ConversationHead(
                        RoomEpoch.Of(epoch, life), (long)reply[1 + 3 * i], (long)reply[2 + 3 * i]);
                }
            }
        }
        return answer;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var publisher in _publishers)
        {
            publisher.Complete();
        }

        if (ExecuteTask is { } loops)
        {
            await Task.WhenAny(loops, Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken));
        }

        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_publishers.Select(publisher => publisher.RunAsync(stoppingToken)));

    /// <param name="look">Only ask whether the user is a member.</param>
    /// <returns>The answer, and <see cref="WasMember"/>, <see cref="NoSuchRoom"/> or another value: join.lua.</returns>
    private async Task<(JoinResult Result, long Found)> JoinAsync(
        string room, string user, int? rights, bool again, bool look, CancellationToken cancellationToken)
    {
        var key = ConversationKey.Room(room);
        var reply = await CallAsync(
            RedisScripts.Join,
            RedisKeys.OfMembership(key),
            [
                key.Value, room, user, Now(), RedisChannels.LogBell(key.Partition), look ? "1" : "0", _options.MembersPerRoom,
                rights is { } granted ? granted : RedisValue.EmptyString, _rooms.CreatedBy == RoomCreation.Anyone ? "1" : "0", again ? "1" : "0",
            ],
            cancellationToken);
        var found = (long)reply[3];
        var settings = (string)reply[6]!;
        return (new JoinResult((string)reply[0]!, (long)reply[1], (long)reply[2], found == 1, (long)reply[4])
        {
            Refusal = found switch
            {
                RoomIsFull => JoinRefusal.RoomIsFull,
                -4 => JoinRefusal.Forbidden,
                -5 => JoinRefusal.NotFound,
                -6 => JoinRefusal.Deleted,
                _ => JoinRefusal.None,
            },
            Role = (RoomRole)(int)reply[5],
            Settings = settings.Length == 0 ? RoomSettings.Plain : RoomSettings.Parse(settings),
        }, found);
    }

    private async Task<JoinRefusal> AdmitAsync(string room, string user, bool creates, CancellationToken cancellationToken)
    {
        var call = _redis.GetDatabase().ScriptEvaluateAsync(
            RedisScripts.Admit,
            [RedisKeys.UserRooms(user), RedisKeys.UserJoins(user), RedisKeys.UserCreations(user)],
            [
                room, Now(), _options.RoomsPerUser, (long)JoinTime.TotalMilliseconds,
                creates ? "1" : "0", _options.RoomsCreatedPerHour, (long)CreationPeriod.TotalSeconds,
            ]);
        await GuardAsync(call, cancellationToken);
        return (int)await call switch
        {
            -1 => JoinRefusal.TooManyRooms,
            -2 => JoinRefusal.TooManyCreated,
            _ => JoinRefusal.None,
        };
    }

    /// <summary>The reply of a script whose first item is the epoch.</summary>
    private async Task<RedisResult[]> CallAsync(string script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var call = _redis.GetDatabase().ScriptEvaluateAsync(script, keys, arguments);
        await GuardAsync(call, cancellationToken);
        var reply = (RedisResult[])(await call)!;
        return (string?)reply[0] is "" ? throw Closed() : reply;
    }

    /// <summary>Turns each way in which a call to Redis can fail into the one exception that callers know.</summary>
    private async Task GuardAsync(Task call, CancellationToken cancellationToken)
    {
        try
        {
            await call.WaitAsync(cancellationToken);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
        {
            throw new LogUnavailableException("Redis can't be reached.", e);
        }
    }

    private static LogUnavailableException Closed() =>
        new("The partition is closed: Redis is new or was emptied, and PersistenceService has not opened it yet.");

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(LogEvents.Connection + 402, LogLevel.Error, "Tail of {Conversation} holds an unreadable record at seq {Seq}")]
    private static partial void UnreadableRecord(ILogger logger, string conversation, long seq);
}

/// <summary>Registers the conversation log: needs <see cref="RedisDefaults.AddRedis"/>, offers <see cref="IConversationLog"/>.</summary>
public static class ConversationLogRegistration
{
    public static IServiceCollection AddConversationLog(this IServiceCollection services)
    {
        services.AddValidatedOptions<ConversationLogOptions>(ConversationLogOptions.Section);
        services.AddValidatedOptions<RoomOptions>(RoomOptions.Section);
        services.AddSingleton<RoomLog>();
        services.AddSingleton<ConversationLogMetrics>();
        services.AddSingleton<RedisConversationLog>();
        services.AddSingleton<IConversationLog>(provider => provider.GetRequiredService<RedisConversationLog>());
        services.AddHostedService(provider => provider.GetRequiredService<RedisConversationLog>());
        services.AddSingleton<IUserQuotas, UserQuotas>();
        return services;
    }
}
