using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Security.Cryptography;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService;
using AspireChat.RedisLog;
using AspireChat.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.Benchmarks.Webhooks;

/// <summary>
/// How fast and how late one local receiver is told: events are appended at a rate as ConnectionService appends them, and a PersistenceService,
/// composed as in production, tells them. All of it, the servers included, shares this machine.
/// </summary>
internal static class WebhookBenchmark
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync(int seconds)
    {
        Console.WriteLine($"webhooks: {seconds} s at each rate; conversations are rooms and direct ones in equal parts");
        Console.WriteLine(Machine.Describe());
        Console.WriteLine();
        Console.WriteLine("| sent/s | conversations | told/s | calls/s | events/call | ack to told, p50 ms | p99 ms | slowest ms | out of order |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        await using var redis = await RunningRedis.StartAsync();
        await using var postgres = await RunningPostgres.StartAsync(durable: true);
        await using var receiver = await Receiver.StartAsync();
        await using var service = await StartAsync(redis, postgres, receiver.Url);
        await OpenedAsync(redis);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var log = new RedisConversationLog(
            connection, Options.Create(new ConversationLogOptions()), Options.Create(new RoomOptions()),
            new ConversationLogMetrics(services.GetRequiredService<IMeterFactory>()), TimeProvider.System, NullLogger<RedisConversationLog>.Instance);
        await log.StartAsync(CancellationToken.None);
        var passed = true;
        await RunAsync(log, receiver, "warm", 500, 100, TimeSpan.FromSeconds(5));
        foreach (var (rate, conversations) in ((int, int)[])[(500, 100), (500, 5_000), (2_000, 200), (5_000, 200), (5_000, 2_000)])
        {
            passed &= await RunAsync(log, receiver, $"{rate}-{conversations}", rate, conversations, TimeSpan.FromSeconds(seconds));
        }

        await log.StopAsync(CancellationToken.None);
        return passed ? 0 : 1;
    }

    private static async Task<bool> RunAsync(
        RedisConversationLog log, Receiver receiver, string name, int rate, int conversations, TimeSpan length)
    {
        receiver.Reset();
        var (watch, sent, pending) = (Stopwatch.StartNew(), 0, new List<Task>());
        while (watch.Elapsed < length)
        {
            for (var due = (int)(watch.Elapsed.TotalSeconds * rate); sent < due; sent++)
            {
                pending.Add(AppendAsync(log, receiver, name, sent % conversations, sent));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }

        await Task.WhenAll(pending);
        var patience = Stopwatch.StartNew();
        while (receiver.Told < sent && patience.Elapsed < Patience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }

        var took = watch.Elapsed.TotalSeconds;
        var late = receiver.Delays.Order().ToArray();
        if (name != "warm")
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {rate:N0} | {conversations:N0} | {receiver.Told / took:N0} | {receiver.Calls / took:N0} | {receiver.Told / (double)receiver.Calls:N1} | "
                + $"{At(late, 0.5):N0} | {At(late, 0.99):N0} | {late[^1]:N0} | {receiver.OutOfOrder} |"));
        }

        return receiver.Told == sent && receiver.OutOfOrder == 0;
    }

    private static double At(double[] sorted, double share) => sorted[(int)(share * (sorted.Length - 1))];

    private static async Task AppendAsync(RedisConversationLog log, Receiver receiver, string name, int number, int nonce)
    {
        var conversation = number % 2 == 0 ? ConversationKey.Room($"{name}-{number}") : ConversationKey.Direct($"a-{name}-{number}", $"b-{name}-{number}");
        var id = Guid.CreateVersion7();
        var result = await log.AppendAsync(
            new ConversationEvent
            {
                Kind = conversation.IsRoom ? EventKind.Room : EventKind.Dm,
                Conversation = conversation,
                Id = id,
                From = $"a-{name}-{number}",
                Nonce = nonce.ToString(CultureInfo.InvariantCulture),
                Content = new string('x', 100),
                Timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
            },
            retryAfter: 0);
        if (result.Status != AppendStatus.Accepted)
        {
            Environment.FailFast($"The log answered {result.Status}.");
        }

        receiver.Acknowledged(id);
    }

    private static async Task<WebApplication> StartAsync(RunningRedis redis, RunningPostgres postgres, string url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Jwt:Key"] = Convert.ToHexString(RandomNumberGenerator.GetBytes(32)),
            ["ConnectionStrings:redis"] = redis.ConnectionString,
            ["ConnectionStrings:chatdb"] = postgres.ConnectionString,
            ["Webhooks:AllowPrivate"] = "true",
            ["Webhooks:0:Url"] = url,
            ["Webhooks:0:Secret"] = Secret,
            ["Webhooks:0:Events"] = "message.created,message.edited,message.deleted,reaction.changed,member.changed",
        });
        builder.Logging.ClearProviders();
        builder.AddPersistenceService();
        var app = builder.Build();
        app.MapPersistenceService();
        await app.StartAsync();
        return app;
    }

    private static async Task OpenedAsync(RunningRedis redis)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            while (!await connection.GetDatabase().KeyExistsAsync(RedisKeys.Epoch(partition)))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
            }
        }
    }
}
