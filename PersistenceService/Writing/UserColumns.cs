using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// What a batch says of users, one row for each: that they are known, the last profile of the log, and the latest revocation. Writing it
/// again changes nothing.
/// </summary>
internal sealed class UserColumns
{
    private const string KnownSql = """
        INSERT INTO users AS u (user_id, id_key, first_seen)
        SELECT * FROM unnest($1, $2, $3)
        ON CONFLICT (user_id) DO UPDATE SET first_seen = LEAST(u.first_seen, excluded.first_seen)
        WHERE u.first_seen IS NULL OR u.first_seen > excluded.first_seen
        """;

    // The later place in the log wins, so an entry that is delivered again, or late, changes nothing.
    private const string ProfileSql = """
        INSERT INTO users AS u (user_id, id_key, name, name_key, picture, shown_at, changed)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (user_id) DO UPDATE SET
            name = excluded.name,
            name_key = excluded.name_key,
            picture = excluded.picture,
            shown_at = excluded.shown_at,
            changed = excluded.changed
        WHERE u.changed < excluded.changed
        """;

    private const string RevokedSql = """
        INSERT INTO users AS u (user_id, id_key, revoked)
        SELECT * FROM unnest($1, $2, $3)
        ON CONFLICT (user_id) DO UPDATE SET revoked = excluded.revoked WHERE u.revoked < excluded.revoked
        """;

    private readonly SortedDictionary<string, long> _known = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, (ProfileRecord Record, long Changed)> _profiles = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _revoked = new(StringComparer.Ordinal);

    /// <summary>A text as users are searched by it.</summary>
    public static string KeyOf(string text) => text.ToLowerInvariant();

    public void Add(LogEntry entry, ProfileRecord record)
    {
        _known[record.User] = Math.Min(record.Timestamp, _known.GetValueOrDefault(record.User, long.MaxValue));
        var changed = entry.Position.Packed;
        if (record.IsSaid && (!_profiles.TryGetValue(record.User, out var other) || other.Changed < changed))
        {
            _profiles[record.User] = (record, changed);
        }
    }

    public void Add(RevokeRecord record) => _revoked[record.User] = Math.Max(record.Timestamp, _revoked.GetValueOrDefault(record.User));

    /// <summary>Rows in the order of the ids: two writers that overlap for a moment must not wait for each other's rows.</summary>
    public IEnumerable<NpgsqlBatchCommand> ToUpserts()
    {
        if (_known.Count > 0)
        {
            var rows = _known.ToList();
            var command = new NpgsqlBatchCommand(KnownSql);
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Key);
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => KeyOf(row.Key));
            command.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows, row => DateTimeOffset.FromUnixTimeMilliseconds(row.Value).UtcDateTime);
            yield return command;
        }

        if (_profiles.Count > 0)
        {
            var rows = _profiles.ToList();
            var command = new NpgsqlBatchCommand(ProfileSql);
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Key);
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => KeyOf(row.Key));
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Value.Record.Profile?.Name);
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Value.Record.Profile?.Name is { } name ? KeyOf(name) : null);
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Value.Record.Profile?.Picture);
            command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Value.Record.Timestamp);
            command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Value.Changed);
            yield return command;
        }

        if (_revoked.Count > 0)
        {
            var rows = _revoked.ToList();
            var command = new NpgsqlBatchCommand(RevokedSql);
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Key);
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => KeyOf(row.Key));
            command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Value);
            yield return command;
        }
    }
}
