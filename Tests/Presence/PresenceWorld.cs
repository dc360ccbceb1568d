using System.Text;
using System.Text.Json.Nodes;
using AspireChat.Contracts.Presence;
using AspireChat.PresenceService;
using AspireChat.PresenceService.Queries;
using AspireChat.PresenceService.Reports;
using AspireChat.PresenceService.State;
using AspireChat.PresenceService.Timers;
using AspireChat.PresenceService.Typing;
using AspireChat.RedisLog;
using AspireChat.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace AspireChat.Tests.Presence;

[CollectionDefinition(Name)]
public sealed class PresenceCollection : ICollectionFixture<RedisServer>
{
    public const string Name = "presence";
}

/// <summary>
/// PresenceService without a host, with a real Redis, a clock that only the test moves, and a subscription to every channel. Only
/// <see cref="AdvanceAsync"/> looks at timers.
/// </summary>
internal sealed class PresenceWorld : IAsyncDisposable
{
    private const string Marker = "test:marker";

    private readonly ConnectionMultiplexer _redis;
    private readonly ConnectionMultiplexer _ear;
    private readonly Lock _gate = new();
    private readonly List<(string Channel, string Payload)> _heard = [];
    private readonly Dictionary<string, TaskCompletionSource> _markers = [];
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private int _read;

    private PresenceWorld(ConnectionMultiplexer redis, ConnectionMultiplexer ear, PresenceOptions options)
    {
        (_redis, _ear, Options) = (redis, ear, options);
        (State, Handler, Sweep) = CreateService();
        Queries = new PresenceQueries(State);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public PresenceOptions Options { get; }

    public PresenceRedis State { get; }

    public ReportHandler Handler { get; }

    public Sweep Sweep { get; }

    public PresenceQueries Queries { get; }

    public IDatabase Database => _redis.GetDatabase();

    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public static async Task<PresenceWorld> StartAsync(RedisServer server, PresenceOptions? options = null)
    {
        var world = new PresenceWorld(await server.ConnectAsync(), await server.ConnectAsync(), options ?? new PresenceOptions());
        await world._redis.GetServers()[0].FlushAllDatabasesAsync();
        // A queue keeps the order of publishing, and a plain handler does not. The marker must come last.
        var everything = await world._ear.GetSubscriber().SubscribeAsync(RedisChannel.Pattern("*"));
        everything.OnMessage(message => world.Hear(message.Channel, message.Message));
        return world;
    }

    /// <summary>Another PresenceService on the same Redis.</summary>
    public (PresenceRedis State, ReportHandler Handler, Sweep Sweep) CreateService()
    {
        var options = Microsoft.Extensions.Options.Options.Create(Options);
        var metrics = new PresenceMetrics(_services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        var state = new PresenceRedis(_redis, Time);
        var arrivals = new ArrivalHandler(state);
        var typing = new TypingHandler(state, options, metrics);
        var handler = new ReportHandler(state, arrivals, typing, new Doorbell(Time), options, metrics, NullLogger<ReportHandler>.Instance);
        return (state, handler, new Sweep(state, arrivals, typing, options, metrics, NullLogger<Sweep>.Instance));
    }

    public Task FlushAsync() => _redis.GetServers()[0].FlushAllDatabasesAsync();

    /// <summary>
    /// Lets time pass in the steps in which the service itself looks at its timers. The given replicas renew their leases meanwhile.
    /// </summary>
    public async Task AdvanceAsync(double seconds, params FakeReplica[] alive)
    {
        var end = Now + (long)(seconds * 1000);
        do
        {
            Time.Advance(TimeSpan.FromMilliseconds(Math.Min(250, end - Now)));
            foreach (var replica in alive)
            {
                await replica.RenewAsync();
            }

            await SweepAsync();
        }
        while (Now < end);
    }

    /// <summary>Sweeps until nothing is due at this moment.</summary>
    public async Task SweepAsync()
    {
        while (await Sweep.RunAsync(CancellationToken.None) == TimeSpan.Zero)
        {
        }
    }

    public Task MemberAsync(string user, params string[] rooms) =>
        Database.SetAddAsync(RedisKeys.UserRooms(user), [.. rooms.Select(room => (RedisValue)room)]);

    /// <summary>The frames on a channel since the last call, as text. A user whom the frame is not for stands before it.</summary>
    public async Task<IReadOnlyList<string>> HeardAsync(string channel) =>
        [.. (await HeardAsync()).Where(frame => frame.Channel == channel).Select(frame => frame.Text)];

    /// <summary>The frames that members of rooms hear, e.g. <c>online lobby alice,bob 2</c>.</summary>
    public async Task<IReadOnlyList<string>> HeardInRoomsAsync() =>
        [.. (await HeardAsync()).Select(frame => Describe(JsonNode.Parse(frame.Text[(frame.Text.IndexOf('{'))..])!))];

    public async Task<IReadOnlyList<(string Channel, string Text)>> HeardAsync()
    {
        var token = Guid.NewGuid().ToString();
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _markers[token] = heard;
        }

        await Database.PublishAsync(RedisChannel.Literal(Marker), token);
        await heard.Task.WaitAsync(TimeSpan.FromSeconds(60));
        lock (_gate)
        {
            var news = _heard[_read..];
            _read = _heard.Count;
            return [.. news.Select(message => (message.Channel, Open(message.Payload)))];
        }
    }

    public async Task<bool> IsOnlineAsync(string user) => (await Queries.ReadAsync([user], CancellationToken.None))[0].Online;

    public async Task<string[]> OnlineInAsync(string room) =>
        [.. (await Database.SetMembersAsync(RedisKeys.RoomOnline(room))).Select(user => (string)user!).Order(StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        await _ear.DisposeAsync();
        await _services.DisposeAsync();
    }

    private static string Describe(JsonNode frame) => (string)frame["type"]! switch
    {
        "presence" => $"presence {frame["room"]} {frame["count"]}",
        "typing" => $"typing {frame["room"] ?? "@" + frame["to"]} {frame["from"]} {frame["active"]}",
        var type => $"{type} {frame["room"]} {string.Join(',', frame["users"]!.AsArray().Select(user => (string)user!))} {frame["count"]}",
    };

    private static string Open(string payload)
    {
        Assert.True(PubSubMessage.TryRead(Encoding.UTF8.GetBytes(payload), out var message));
        var frame = Assert.IsType<PubSubMessage.Frame>(message);
        return (frame.Except.Length > 0 ? $"not for {frame.Except}: " : "") + Encoding.UTF8.GetString(frame.Json.Span);
    }

    private void Hear(RedisChannel channel, RedisValue payload)
    {
        lock (_gate)
        {
            if (channel == Marker)
            {
                _markers.GetValueOrDefault((string)payload!)?.TrySetResult();
            }
            else
            {
                _heard.Add(((string)channel!, (string)payload!));
            }
        }
    }
}

/// <summary>A fake ConnectionService replica that reports what the test says.</summary>
internal sealed class FakeReplica(PresenceWorld world, string name, string? instance = null)
{
    public string Instance { get; } = instance ?? Guid.CreateVersion7().ToString("N");

    public long Sequence { get; private set; }

    /// <summary>The service that this replica reports to; by default the world's own.</summary>
    public ReportHandler? Handler { get; init; }

    public Task<PresenceReportAnswer> FullAsync(params (string User, int Connections)[] users) => SendAsync(full: true, users: users);

    public Task<PresenceReportAnswer> UsersAsync(params (string User, int Connections)[] users) => SendAsync(users: users);

    public Task<PresenceReportAnswer> RoomsAsync(params (string Room, string User, bool Member)[] rooms) => SendAsync(rooms: rooms);

    /// <summary>Reports a user who joined and left before any report said so.</summary>
    public Task<PresenceReportAnswer> BrieflyAsync(string room, string user) =>
        ReportAsync(new PresenceReport(Instance, ++Sequence, false, [], [new RoomMembership(room, user, false, Brief: true)], []));

    public Task<PresenceReportAnswer> MissedAsync(params string[] rooms) =>
        ReportAsync(new PresenceReport(Instance, ++Sequence, false, [], [], [], rooms));

    public Task<PresenceReportAnswer> TypingAsync(params TypingNotice[] notices) => SendAsync(typing: notices);

    /// <summary>The next sequence, for a report that the test writes.</summary>
    public long Take() => ++Sequence;

    public Task<PresenceReportAnswer> RenewAsync() => SendAsync();

    public Task<PresenceReportAnswer> SendAsync(
        bool full = false, (string User, int Connections)[]? users = null, (string Room, string User, bool Member)[]? rooms = null,
        TypingNotice[]? typing = null, long? sequence = null) =>
        ReportAsync(new PresenceReport(
            Instance, sequence ?? ++Sequence, full,
            [.. (users ?? []).Select(user => new UserConnections(user.User, user.Connections))],
            [.. (rooms ?? []).Select(room => new RoomMembership(room.Room, room.User, room.Member))],
            typing ?? []));

    private Task<PresenceReportAnswer> ReportAsync(PresenceReport report) =>
        (Handler ?? world.Handler).ApplyAsync(name, report, CancellationToken.None);
}
