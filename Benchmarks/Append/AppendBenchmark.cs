using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.Benchmarks.Append;

/// <summary>
/// Events per second into the log. The batching publishers are compared with one script call per event, pipelined through the same
/// multiplexer. Both run append.lua on the same Redis, in turn. Figures are medians over the rounds; CPU is that of this process and of
/// redis-server.
/// </summary>
internal static class AppendBenchmark
{
    private const int Events = 40_000;
    private const int Warmup = 4_000;
    private const int Rooms = 64;

    /// <summary>How many events wait for their answer at once, as from a few thousand busy users.</summary>
    private const int InFlight = 2_000;

    private static readonly string Content = new('x', 200);

    public static async Task<int> RunAsync(int rounds)
    {
        Console.WriteLine($"append: {Events} events of 200 bytes to {Rooms} rooms, {InFlight} waiting at once, median of {rounds} rounds");
        Console.WriteLine(Machine.Describe());
        Console.WriteLine();
        Console.WriteLine("| appendfsync | way | events/s | CPU µs/event, node | CPU µs/event, Redis | events/call |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var fsync in (string[])["everysec", "always"])
        {
            await CompareAsync(fsync, rounds);
        }

        return 0;
    }

    private static async Task CompareAsync(string fsync, int rounds)
    {
        await using var server = await RunningRedis.StartAsync([$"appendfsync {fsync}"]);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString + ",allowAdmin=true");
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            await redis.GetDatabase().StringSetAsync(RedisKeys.Epoch(partition), "bench");
        }

        var options = new ConversationLogOptions { QueueLength = 100_000 };
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var log = new RedisConversationLog(
            redis, Options.Create(options), Options.Create(new RoomOptions()), new ConversationLogMetrics(services.GetRequiredService<IMeterFactory>()),
            TimeProvider.System, NullLogger<RedisConversationLog>.Instance);
        await log.StartAsync(CancellationToken.None);

        var ways = new (string Name, Func<ConversationEvent, Task> Append, List<Sample> Samples)[]
        {
            ("one call per event", e => AppendAloneAsync(redis, options, e), []),
            ("batched", e => log.AppendAsync(e, retryAfter: 0), []),
        };
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var way in ways)
            {
                // The events are made beforehand, because that is the clients' work and not the log's.
                var events = Enumerable.Range(1, round == 0 ? Warmup : Events).Select(NewEvent).ToArray();
                var sample = await MeasureAsync(redis, server.ProcessId, way.Append, events);
                if (round > 0)
                {
                    way.Samples.Add(sample);
                }
                // The log is emptied, because a growing log would favour the way that runs first.
                await redis.GetServers()[0].FlushDatabaseAsync();
                for (var partition = 0; partition < LogPartitions.Count; partition++)
                {
                    await redis.GetDatabase().StringSetAsync(RedisKeys.Epoch(partition), "bench");
                }
            }
        }
        await log.StopAsync(CancellationToken.None);

        foreach (var (name, _, samples) in ways)
        {
            Console.WriteLine($"| {fsync} | {name} | {Machine.Median(samples.Select(s => s.PerSecond)):N0} "
                + $"| {Machine.Median(samples.Select(s => s.NodeMicroseconds)):N1} | {Machine.Median(samples.Select(s => s.RedisMicroseconds)):N1} "
                + $"| {Machine.Median(samples.Select(s => s.EventsPerCall)):N0} |");
        }
        var ratios = ways[1].Samples.Zip(ways[0].Samples, (batched, alone) => batched.PerSecond / alone.PerSecond);
        Console.WriteLine($"| {fsync} | ratio, median of rounds | **{Machine.Median(ratios):N1}×** | | | |");
    }

    private static async Task<Sample> MeasureAsync(
        ConnectionMultiplexer redis, int redisProcess, Func<ConversationEvent, Task> append, ConversationEvent[] events)
    {
        var count = events.Length;
        using var self = Process.GetCurrentProcess();
        using var other = Process.GetProcessById(redisProcess);
        var calls = await CallsAsync(redis);
        var (node, server) = (Machine.CpuOf(self), Machine.CpuOf(other));
        var watch = Stopwatch.StartNew();
        var next = -1;
        // Every worker keeps one event under way. The workers are spread over rooms so that all partitions have work.
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(async worker =>
        {
            await Task.Yield();
            for (var i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
            {
                await append(events[i]);
            }
        }));
        watch.Stop();
        var (nodeUsed, serverUsed) = (Machine.CpuOf(self) - node, Machine.CpuOf(other) - server);
        return new Sample(
            count / watch.Elapsed.TotalSeconds, nodeUsed.TotalMicroseconds / count, serverUsed.TotalMicroseconds / count,
            count / (double)(await CallsAsync(redis) - calls));
    }

    /// <summary>How many scripts the server has run.</summary>
    private static async Task<long> CallsAsync(ConnectionMultiplexer redis)
    {
        var info = await redis.GetServers()[0].InfoAsync("commandstats");
        var calls = info.SelectMany(section => section).FirstOrDefault(pair => pair.Key == "cmdstat_evalsha").Value;
        return calls is null ? 0 : long.Parse(calls.Split(',')[0].Split('=')[1], CultureInfo.InvariantCulture);
    }

    private static async Task AppendAloneAsync(ConnectionMultiplexer redis, ConversationLogOptions options, ConversationEvent e)
    {
        var batch = new AppendBatch(e.Conversation.Partition, options);
        batch.Add(new AppendRequest(e, RequireMember: false, NoCompletion.Instance));
        var (keys, arguments) = batch.ToCall(e.Timestamp);
        var results = batch.ReadReply(await redis.GetDatabase().ScriptEvaluateAsync(RedisScripts.Append, keys, arguments));
        if (results is not [{ Status: AppendStatus.Accepted }])
        {
            throw new InvalidOperationException("The log did not accept the event.");
        }
    }

    private static ConversationEvent NewEvent(int number) => new()
    {
        Kind = EventKind.Room,
        Conversation = ConversationKey.Room($"room-{number % Rooms}"),
        Id = Guid.CreateVersion7(),
        From = "alice",
        Nonce = Guid.NewGuid().ToString("N"),
        Content = Content,
        Timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
    };

    private readonly record struct Sample(double PerSecond, double NodeMicroseconds, double RedisMicroseconds, double EventsPerCall);

    private sealed class NoCompletion : IAppendCompletion
    {
        public static readonly NoCompletion Instance = new();

        public void Completed(ConversationEvent appended, AppendResult result)
        {
        }
    }
}
