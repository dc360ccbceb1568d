using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.Servers;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.Benchmarks.Micro;

/// <summary>Batches of 1,000 messages to 50 rooms on their way into PostgreSQL. Figures are per event.</summary>
public class BatchWriterBenchmarks
{
    private const int Events = 1_000;
    private const int Rooms = 50;

    /// <summary>Batches written one after the other in each measurement.</summary>
    private const int Batches = 20;

    private readonly long[] _heads = new long[Rooms];
    private readonly List<LogEntry>[] _batches = new List<LogEntry>[Batches];
    private RunningPostgres _postgres = null!;
    private NpgsqlDataSource _database = null!;
    private BatchWriter _writer = null!;
    private long _number;

    [GlobalSetup(Target = nameof(Build_columns))]
    public void Fill() => NextBatches();

    /// <summary>Builds the arrays that PostgreSQL unnests, without sending them.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public int Build_columns()
    {
        var columns = new EventColumns();
        foreach (var entry in _batches[0])
        {
            columns.Add(entry, (ConversationEvent)entry.Record!);
        }

        return columns.ToInsert(tolerant: false).Parameters.Count;
    }

    [GlobalSetup(Target = nameof(Write_batch))]
    public async Task StartAsync()
    {
        _postgres = await RunningPostgres.StartAsync(durable: true);
        _database = NpgsqlDataSource.Create(_postgres.ConnectionString);
        await new Migrator(_database, TimeProvider.System, NullLogger<Migrator>.Instance).RunAsync(Migration.All, CancellationToken.None);
        _writer = new BatchWriter(_database, TimeProvider.System);
    }

    [GlobalCleanup(Target = nameof(Write_batch))]
    public async Task StopAsync()
    {
        await _database.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    [IterationSetup(Target = nameof(Write_batch))]
    public void NextBatches()
    {
        for (var batch = 0; batch < Batches; batch++)
        {
            _batches[batch] = [.. Enumerable.Range(0, Events).Select(NextEntry)];
        }
    }

    /// <summary>Builds the arrays and commits them to disk in one transaction.</summary>
    [Benchmark(OperationsPerInvoke = Batches * Events)]
    public async Task Write_batch()
    {
        foreach (var batch in _batches)
        {
            await _writer.WriteAsync([new PartitionBatch(0, batch, batch[^1].Position)], CancellationToken.None);
        }
    }

    private LogEntry NextEntry(int i)
    {
        var room = i % Rooms;
        var position = new LogPosition(++_number);
        var e = Samples.Event with
        {
            Conversation = ConversationKey.Room($"room-{room.ToString(CultureInfo.InvariantCulture)}"),
            Id = Guid.CreateVersion7(),
            Nonce = _number.ToString("x16", CultureInfo.InvariantCulture),
            Seq = ++_heads[room],
        };
        return new LogEntry(position.ToString(), position, e.Conversation.Value, e.Seq, e.Epoch, RedisValue.EmptyString, e);
    }
}
