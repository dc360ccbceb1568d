using System.Globalization;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>How much was put into Redis.</summary>
internal sealed record SeedCount(long Conversations, long Members, long Users, long Nonces);

/// <summary>
/// Fills closed partitions of Redis from PostgreSQL: heads and durable marks, members with their read cursors, the rooms of each user, the
/// known users and their revocations, the nonces of the last day. One pass over each table for all partitions together, streamed and
/// pipelined.
/// </summary>
internal sealed class RedisSeeder(IConnectionMultiplexer redis, NpgsqlDataSource database, RoomSeeder rooms, TimeProvider time)
{
    /// <summary>How long a nonce must be remembered (protocol §3).</summary>
    private static readonly TimeSpan NonceAge = TimeSpan.FromHours(24);

    private const int FieldsPerCall = 200;

    public async Task<SeedCount> SeedAsync(IReadOnlySet<int> partitions, CancellationToken cancellationToken)
    {
        var stale = await PurgeAsync(partitions, cancellationToken);
        var count = new SeedCount(
            await SeedConversationsAsync(partitions, cancellationToken),
            await SeedMembersAsync(partitions, withLeft: stale, cancellationToken),
            await SeedUsersAsync(partitions, cancellationToken),
            await SeedNoncesAsync(partitions, cancellationToken));
        await rooms.SeedAsync(partitions, cancellationToken);
        return count;
    }

    /// <summary>
    /// Removes what is left of an earlier state. A tail whose events PostgreSQL does not have under those seqs would be replayed to
    /// clients.
    /// </summary>
    /// <returns>True when there was any.</returns>
    private async Task<bool> PurgeAsync(IReadOnlySet<int> partitions, CancellationToken cancellationToken)
    {
        var pipeline = new Pipeline(redis.GetDatabase());
        foreach (var server in redis.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
        {
            await foreach (var key in server.KeysAsync(pattern: RedisKeys.AnyPartition, pageSize: 1000).WithCancellation(cancellationToken))
            {
                if (RedisKeys.IsRebuilt(key.ToString(), out var partition) && partitions.Contains(partition))
                {
                    await pipeline.AddAsync(database => database.KeyDeleteAsync(key));
                }
            }
        }
        await pipeline.FinishAsync();
        return pipeline.Count > 0;
    }

    private async Task<long> SeedConversationsAsync(IReadOnlySet<int> partitions, CancellationToken cancellationToken)
    {
        var pipeline = new Pipeline(redis.GetDatabase());
        await using var command = Streaming("SELECT conversation, head FROM conversations WHERE partition = ANY ($1)");
        command.Parameters.Add(new() { Value = partitions.Select(partition => (short)partition).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var head = reader.GetInt64(1);
            if (ConversationKey.TryParse(reader.GetString(0), out var conversation))
            {
                await pipeline.AddAsync(database => database.HashSetAsync(
                    RedisKeys.Conversation(conversation), [new(ConversationFields.Head, head), new(ConversationFields.Durable, head)]));
            }
        }
        await pipeline.FinishAsync();
        return pipeline.Count;
    }

    /// <param name="withLeft">Also removes members who have left from the index of rooms, where Redis may hold them from before.</param>
    private async Task<long> SeedMembersAsync(IReadOnlySet<int> partitions, bool withLeft, CancellationToken cancellationToken)
    {
        var pipeline = new Pipeline(redis.GetDatabase());
        var members = 0L;
        await using var command = Streaming("SELECT conversation, member, joined, read FROM members WHERE joined OR $1");
        command.Parameters.Add(new() { Value = withLeft });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = reader.GetString(0);
            if (!partitions.Contains(LogPartitions.Of(key)) || !ConversationKey.TryParse(key, out var conversation))
            {
                continue;
            }

            var member = reader.GetString(1);
            var joined = reader.GetBoolean(2);
            var read = reader.GetInt64(3);
            if (joined)
            {
                members++;
                await pipeline.AddAsync(database => database.HashSetAsync(RedisKeys.Members(conversation), member, read));
            }
            if (conversation.IsRoom)
            {
                await pipeline.AddAsync(database => joined
                    ? database.SetAddAsync(RedisKeys.UserRooms(member), conversation.RoomId)
                    : database.SetRemoveAsync(RedisKeys.UserRooms(member), conversation.RoomId));
            }
        }
        await pipeline.FinishAsync();
        return members;
    }

    /// <summary>Known users with their profiles, and until when tokens are revoked.</summary>
    private async Task<long> SeedUsersAsync(IReadOnlySet<int> partitions, CancellationToken cancellationToken)
    {
        var pipeline = new Pipeline(redis.GetDatabase());
        await using var command = Streaming("SELECT user_id, name, picture, shown_at, first_seen IS NOT NULL, revoked FROM users");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var user = reader.GetString(0);
            var partition = ConversationKey.Own(user).Partition;
            if (!partitions.Contains(partition))
            {
                continue;
            }

            var (name, picture) = (reader.IsDBNull(1) ? null : reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2));
            var profile = (name ?? picture) is null ? null : new UserProfile(name, picture);
            var (moment, isKnown, revoked) = (reader.GetInt64(3), reader.GetBoolean(4), reader.GetInt64(5));
            if (isKnown)
            {
                await pipeline.AddAsync(database => database.HashSetAsync(
                    RedisKeys.Users(partition), user, StoredProfiles.Field(moment, ProfileJson.Encode(profile))));
            }

            if (revoked > 0)
            {
                await pipeline.AddAsync(database => database.SortedSetAddAsync(
                    RedisKeys.Revoked(partition), user, revoked, SortedSetWhen.GreaterThan));
            }
        }
        await pipeline.FinishAsync();
        return pipeline.Count;
    }

    private async Task<long> SeedNoncesAsync(IReadOnlySet<int> partitions, CancellationToken cancellationToken)
    {
        var pipeline = new Pipeline(redis.GetDatabase());
        var now = time.GetUtcNow();
        var day = RedisKeys.NonceDay(now.ToUnixTimeMilliseconds());
        var waiting = new List<HashEntry>?[LogPartitions.Count];
        var nonces = 0L;
        await using var command = Streaming(
            "SELECT conversation, sender, nonce, seq, epoch, id, created_at FROM events WHERE created_at > $1");
        command.Parameters.Add(new() { Value = (now - NonceAge).UtcDateTime });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = reader.GetString(0);
            var partition = LogPartitions.Of(key);
            if (!partitions.Contains(partition) || !ConversationKey.TryParse(key, out var conversation))
            {
                continue;
            }

            var field = NonceField.Of(conversation, reader.GetString(1), StoredNonce.Read(reader.GetString(2), reader.GetString(4)));
            var at = new DateTimeOffset(reader.GetDateTime(6)).ToUnixTimeMilliseconds();
            var ack = string.Create(
                CultureInfo.InvariantCulture, $"{reader.GetInt64(3)} {reader.GetString(4)} {reader.GetGuid(5)} {at}");
            var fields = waiting[partition] ??= [];
            fields.Add(new HashEntry(field, ack));
            nonces++;
            if (fields.Count == FieldsPerCall)
            {
                await FlushAsync(partition);
            }
        }
        foreach (var partition in partitions)
        {
            await FlushAsync(partition);
        }

        foreach (var partition in partitions)
        {
            await pipeline.AddAsync(database =>
                database.KeyExpireAsync(RedisKeys.Nonces(partition, day), TimeSpan.FromSeconds(RedisKeys.NonceSeconds)));
        }

        await pipeline.FinishAsync();
        return nonces;

        async Task FlushAsync(int partition)
        {
            var fields = waiting[partition]?.ToArray() ?? [];
            waiting[partition]?.Clear();
            if (fields.Length > 0)
            {
                await pipeline.AddAsync(database => database.HashSetAsync(RedisKeys.Nonces(partition, day), fields));
            }
        }
    }

    /// <summary>A query of any length: without a time limit.</summary>
    private NpgsqlCommand Streaming(string sql)
    {
        var command = database.CreateCommand(sql);
        command.CommandTimeout = 0;
        return command;
    }
}
