using System.Globalization;
using System.Text.Encodings.Web;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>
/// Fills closed partitions with the rules of rooms: settings, roles, bans, mutes, who was removed (<see cref="RedisKeys.Rules"/>), and what of
/// it has to be checked (<see cref="ConversationFields.Rules"/>). Members come before.
/// </summary>
internal sealed class RoomSeeder(IConnectionMultiplexer redis, NpgsqlDataSource database, TimeProvider time)
{
    private const string RoomsSql =
        "SELECT conversation, visibility, sending, name, topic, meta, retention_days, created_at, deleted, life, floor, plain FROM rooms";

    private const string RolesSql = "SELECT conversation, member, role, joined FROM members WHERE role <> 0";

    private const string RestrictionsSql =
        "SELECT conversation, member, kind, until, reason, made_by FROM restrictions WHERE active AND (until IS NULL OR until > $1)";

    public async Task SeedAsync(IReadOnlySet<int> partitions, CancellationToken cancellationToken)
    {
        // Only of rooms in which something has to be checked.
        var marks = new Dictionary<ConversationKey, (HashSet<char> Letters, string Life)>();
        await SeedSettingsAsync(partitions, marks, cancellationToken);
        await SeedRolesAsync(partitions, marks, cancellationToken);
        await SeedRestrictionsAsync(partitions, marks, cancellationToken);
        var pipeline = new Pipeline(redis.GetDatabase());
        foreach (var (room, (letters, life)) in marks)
        {
            // In the order in which rules.lua writes them.
            var text = string.Concat("pmcux".Where(letters.Contains)) + life;
            await pipeline.AddAsync(db => db.HashSetAsync(RedisKeys.Conversation(room), ConversationFields.Rules, text));
        }

        foreach (var partition in partitions)
        {
            await pipeline.AddAsync(db => db.StringSetAsync(RedisKeys.Ruled(partition), "1"));
        }

        await pipeline.FinishAsync();
    }

    private async Task SeedSettingsAsync(
        IReadOnlySet<int> partitions, Dictionary<ConversationKey, (HashSet<char> Letters, string Life)> marks, CancellationToken cancellationToken)
    {
        var pipeline = new Pipeline(redis.GetDatabase());
        await using var command = Streaming(RoomsSql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!IsOf(partitions, reader.GetString(0), out var room))
            {
                continue;
            }

            var (isPrivate, isModerated, deleted) = (reader.GetInt16(1) != 0, reader.GetInt16(2) != 0, reader.GetBoolean(8));
            var (life, floor) = (reader.GetInt32(9), reader.GetInt64(10));
            if (isPrivate || isModerated || deleted || life > 0)
            {
                var (letters, _) = marks[room] = ([], life > 0 ? life.ToString(CultureInfo.InvariantCulture) : "");
                letters.UnionWith(deleted ? "x" : (isPrivate ? "pc" : "") + (isModerated ? "mc" : ""));
            }

            if (life > 0)
            {
                await pipeline.AddAsync(db => db.HashSetAsync(RedisKeys.Conversation(room), ConversationFields.Floor, floor));
            }

            if (deleted)
            {
                continue;
            }

            List<HashEntry> fields =
            [
                new("visibility", RoomSettings.NameOf(isPrivate ? RoomVisibility.Private : RoomVisibility.Public)),
                new("sending", RoomSettings.NameOf(isModerated ? RoomSending.Moderators : RoomSending.Members)),
                new("created", new DateTimeOffset(reader.GetDateTime(7)).ToUnixTimeMilliseconds()),
            ];
            if (reader.GetBoolean(11))
            {
                fields.Add(new("plain", "1"));
            }

            AddText(fields, "name", reader, 3);
            AddText(fields, "topic", reader, 4);
            if (!reader.IsDBNull(5))
            {
                fields.Add(new("meta", reader.GetString(5)));
            }

            if (!reader.IsDBNull(6))
            {
                fields.Add(new("retentionDays", reader.GetInt32(6)));
            }

            await pipeline.AddAsync(db => db.HashSetAsync(RedisKeys.Rules(room), [.. fields]));
        }

        await pipeline.FinishAsync();
    }

    private async Task SeedRolesAsync(
        IReadOnlySet<int> partitions, Dictionary<ConversationKey, (HashSet<char> Letters, string Life)> marks, CancellationToken cancellationToken)
    {
        var pipeline = new Pipeline(redis.GetDatabase());
        var left = new HashSet<ConversationKey>();
        await using var command = Streaming(RolesSql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!IsOf(partitions, reader.GetString(0), out var room))
            {
                continue;
            }

            var (member, role, joined) = (reader.GetString(1), reader.GetInt16(2), reader.GetBoolean(3));
            if (joined && role > 0)
            {
                await pipeline.AddAsync(db => db.HashSetAsync(
                    RedisKeys.Rules(room), $"role:{member}", RoomRoles.NameOf(role == 2 ? RoomRole.Owner : RoomRole.Moderator)));
                if (role == 2)
                {
                    await pipeline.AddAsync(db => db.HashIncrementAsync(RedisKeys.Rules(room), "owners"));
                }
            }
            else if (!joined && role < 0)
            {
                Mark(marks, room, "c");
                await pipeline.AddAsync(db => db.HashSetAsync(RedisKeys.Rules(room), $"gone:{member}", "0"));
            }
            else if (!joined)
            {
                left.Add(room);
            }
        }

        await pipeline.FinishAsync();
        foreach (var room in left)
        {
            if (!await redis.GetDatabase().KeyExistsAsync(RedisKeys.Members(room))
                && !(marks.TryGetValue(room, out var mark) && mark.Letters.Contains('x')))
            {
                await pipeline.AddAsync(db => db.HashSetAsync(RedisKeys.Rules(room), "heir", "1"));
            }
        }

        await pipeline.FinishAsync();
    }

    private async Task SeedRestrictionsAsync(
        IReadOnlySet<int> partitions, Dictionary<ConversationKey, (HashSet<char> Letters, string Life)> marks, CancellationToken cancellationToken)
    {
        var pipeline = new Pipeline(redis.GetDatabase());
        await using var command = Streaming(RestrictionsSql);
        command.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!IsOf(partitions, reader.GetString(0), out var room))
            {
                continue;
            }

            var kind = reader.GetInt16(2) == 0 ? "ban" : "mute";
            var until = reader.IsDBNull(3) ? 0 : new DateTimeOffset(reader.GetDateTime(3)).ToUnixTimeMilliseconds();
            var reason = reader.IsDBNull(4) ? "" : Json(reader.GetString(4));
            var (member, by) = (reader.GetString(1), reader.GetString(5));
            Mark(marks, room, kind == "ban" ? "c" : "cu");
            await pipeline.AddAsync(db => db.HashSetAsync(
                RedisKeys.Rules(room), $"{kind}:{member}", string.Create(CultureInfo.InvariantCulture, $"{until} {by} {reason}")));
            await pipeline.AddAsync(db => db.HashIncrementAsync(RedisKeys.Rules(room), kind + "s"));
        }

        await pipeline.FinishAsync();
    }

    private static bool IsOf(IReadOnlySet<int> partitions, string key, out ConversationKey room) =>
        ConversationKey.TryParse(key, out room) && room.IsRoom && partitions.Contains(room.Partition);

    private static void Mark(Dictionary<ConversationKey, (HashSet<char> Letters, string Life)> marks, ConversationKey room, string letters)
    {
        if (!marks.TryGetValue(room, out var mark))
        {
            marks[room] = mark = ([], "");
        }

        mark.Letters.UnionWith(letters);
    }

    private static void AddText(List<HashEntry> fields, string name, NpgsqlDataReader reader, int column)
    {
        if (!reader.IsDBNull(column))
        {
            fields.Add(new(name, Json(reader.GetString(column))));
        }
    }

    private static string Json(string text) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";

    private NpgsqlCommand Streaming(string sql)
    {
        var command = database.CreateCommand(sql);
        command.CommandTimeout = 0;
        return command;
    }
}
