using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>
/// Gives the rooms of a running Redis their owners once, after 0007_owners.sql has found them: a partition that was filled by an earlier
/// version has members without roles. Any replica does it for any partition, and repeating it changes nothing. It ends when all are done.
/// </summary>
internal sealed class RoomAdoption(
    IConnectionMultiplexer redis, NpgsqlDataSource database, MigrationService migrations, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await migrations.Done.WaitAsync(stoppingToken);
        try
        {
            while (!await TryAdoptAsync(stoppingToken))
            {
                await Task.Delay(Pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends; another replica goes on.
        }
    }

    /// <summary>False: partitions are left, or could not be asked.</summary>
    private async Task<bool> TryAdoptAsync(CancellationToken cancellationToken)
    {
        try
        {
            var db = redis.GetDatabase();
            var partitions = Enumerable.Range(0, LogPartitions.Count).ToList();
            var ruled = await Task.WhenAll(partitions.Select(partition => db.KeyExistsAsync(RedisKeys.Ruled(partition))));
            var open = await Task.WhenAll(partitions.Select(partition => db.KeyExistsAsync(RedisKeys.Epoch(partition))));
            var due = partitions.Where(partition => !ruled[partition] && open[partition]).ToHashSet();
            if (due.Count > 0)
            {
                await AdoptAsync(db, due, cancellationToken);
            }

            // A closed partition is filled with all of it when it opens.
            return partitions.TrueForAll(partition => ruled[partition] || open[partition]);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || DatabaseFaults.Is(e))
        {
            return false;
        }
    }

    private async Task AdoptAsync(IDatabase db, HashSet<int> partitions, CancellationToken cancellationToken)
    {
        var pipeline = new Pipeline(db);
        await using var command = database.CreateCommand(
            "SELECT conversation, member, joined FROM members WHERE role = 2 ORDER BY conversation, joined DESC");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = reader.GetString(0);
            if (partitions.Contains(LogPartitions.Of(key)) && ConversationKey.TryParse(key, out var room) && room.IsRoom)
            {
                var (member, joined) = (reader.GetString(1), reader.GetBoolean(2));
                await pipeline.AddAsync(each => each.ScriptEvaluateAsync(
                    RedisScripts.Adopt,
                    [RedisKeys.Epoch(room.Partition), RedisKeys.Members(room), RedisKeys.Rules(room)],
                    [member, joined ? "1" : "0"]));
            }
        }

        await pipeline.FinishAsync();
        await Task.WhenAll(partitions.Select(partition => db.StringSetAsync(RedisKeys.Ruled(partition), "1")));
    }
}
