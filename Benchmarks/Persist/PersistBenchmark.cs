using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using AspireChat.Benchmarks.Load;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
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
using Npgsql;
using StackExchange.Redis;
using Role = AspireChat.Benchmarks.Load.Role;

namespace AspireChat.Benchmarks.Persist;

/// <summary>
/// How fast one PersistenceService moves a backlog from Redis into PostgreSQL. The backlog is appended as ConnectionService appends it,
/// while no service runs. Then the service, composed as in production, starts in this process and is timed from its first commit to an
/// empty log. The tables grow from round to round.
/// </summary>
internal static class PersistBenchmark
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync(int rounds)
    {
        Console.WriteLine($"persist: a backlog of {Backlog.Records:N0} records ({Backlog.Description}), {rounds} rounds");
        Console.WriteLine(Machine.Describe());
        Console.WriteLine();
        Console.WriteLine("| round | records/s | slowest second | CPU µs/record, service | PostgreSQL | Redis | records/transaction |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        await using var redis = await RunningRedis.StartAsync();
        await using var postgres = await RunningPostgres.StartAsync(durable: true);
        var key = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        await using (var first = await StartAsync(redis, postgres, key))
        {
            await OpenedAsync(redis);
        }

        var samples = new List<Sample>();
        for (var round = 1; round <= rounds; round++)
        {
            await FillAsync(redis, round);
            var sample = await DrainAsync(redis, postgres, key);
            samples.Add(sample);
            Console.WriteLine(sample.ToRow(round.ToString()));
        }
        Console.WriteLine(new Sample(
            Median(s => s.PerSecond), Median(s => s.SlowestSecond), Median(s => s.Service), Median(s => s.Postgres), Median(s => s.Redis),
            Median(s => s.BatchSize)).ToRow("**median**"));
        var stored = await CountAsync(postgres);
        Console.WriteLine();
        Console.WriteLine($"{stored:N0} events in the table.");
        return stored == (long)rounds * Backlog.Events ? 0 : 1;

        double Median(Func<Sample, double> value) => Machine.Median(samples.Select(value));
    }

    private static async Task FillAsync(RunningRedis redis, int round)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var log = new RedisConversationLog(
            connection, Options.Create(new ConversationLogOptions()), Options.Create(new RoomOptions()),
            new ConversationLogMetrics(services.GetRequiredService<IMeterFactory>()), TimeProvider.System,
            NullLogger<RedisConversationLog>.Instance);
        await log.StartAsync(CancellationToken.None);
        await new Backlog(log, round).AppendAsync();
        await log.StopAsync(CancellationToken.None);
    }

    private static async Task<Sample> DrainAsync(RunningRedis redis, RunningPostgres postgres, string key)
    {
        GC.Collect();
        await using var service = await StartAsync(redis, postgres, key);
        await service.WaitAsync(1, Patience);
        using var self = Process.GetCurrentProcess();
        using var redisProcess = Process.GetProcessById(redis.ProcessId);
        var (own, database, server) = (Machine.CpuOf(self), CpuOf(postgres), Machine.CpuOf(redisProcess));
        var (watch, begun, batches) = (Stopwatch.StartNew(), service.Written, service.Batches);
        var slowest = double.MaxValue;
        while (service.Written < Backlog.Records && watch.Elapsed < Patience)
        {
            var (at, before) = (watch.Elapsed, service.Written);
            await service.WaitAsync(Backlog.Records, TimeSpan.FromSeconds(1));
            // The last second is not complete, so it does not count.
            if (service.Written < Backlog.Records)
            {
                slowest = Math.Min(slowest, (service.Written - before) / (watch.Elapsed - at).TotalSeconds);
            }
        }
        watch.Stop();
        var count = service.Written - begun;
        if (service.Written != Backlog.Records)
        {
            throw new InvalidOperationException($"{service.Written} of {Backlog.Records} records were written.");
        }

        return new Sample(
            count / watch.Elapsed.TotalSeconds, slowest, (Machine.CpuOf(self) - own).TotalMicroseconds / count,
            (CpuOf(postgres) - database) * 1e6 / count, (Machine.CpuOf(redisProcess) - server).TotalMicroseconds / count,
            count / (double)(service.Batches - batches));
    }

    /// <summary>CPU seconds of the server and all its sessions, including those that have ended.</summary>
    private static double CpuOf(RunningPostgres postgres) => Processes.Cpu(postgres.ProcessId, Role.PostgreSql);

    private static async Task<MeasuredService> StartAsync(RunningRedis redis, RunningPostgres postgres, string key)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Jwt:Key"] = key,
            ["ConnectionStrings:redis"] = redis.ConnectionString,
            ["ConnectionStrings:chatdb"] = postgres.ConnectionString,
        });
        builder.Logging.ClearProviders();
        builder.AddPersistenceService();
        var app = builder.Build();
        app.MapPersistenceService();
        var service = new MeasuredService(app);
        await app.StartAsync();
        return service;
    }

    private static async Task OpenedAsync(RunningRedis redis)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        var database = connection.GetDatabase();
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            while (!await database.KeyExistsAsync(RedisKeys.Epoch(partition)))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private static async Task<long> CountAsync(RunningPostgres postgres)
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var command = source.CreateCommand("SELECT count(*) FROM events");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private readonly record struct Sample(
        double PerSecond, double SlowestSecond, double Service, double Postgres, double Redis, double BatchSize)
    {
        public string ToRow(string name) =>
            $"| {name} | {PerSecond:N0} | {SlowestSecond:N0} | {Service:N1} | {Postgres:N1} | {Redis:N1} | {BatchSize:N0} |";
    }
}
