using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// What a batch says of rooms, bans and mutes: one row for each, as the last of them in the log has it. A deletion also ends all that was of the
/// room before it, whatever else of the room the batch holds.
/// </summary>
internal sealed class RoomColumns
{
    private const string RoomSql = """
        INSERT INTO rooms AS r (
            conversation, visibility, sending, name, topic, meta, retention_days, created_at, deleted, life, floor, begun, changed,
            plain)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (conversation) DO UPDATE SET
            visibility = excluded.visibility, sending = excluded.sending, name = excluded.name, topic = excluded.topic, meta = excluded.meta,
            retention_days = excluded.retention_days, plain = excluded.plain,
            created_at = CASE WHEN excluded.begun > 0 OR r.deleted THEN excluded.created_at ELSE r.created_at END,
            deleted = excluded.deleted, life = GREATEST(r.life, excluded.life), floor = GREATEST(r.floor, excluded.floor),
            begun = GREATEST(r.begun, excluded.begun), changed = excluded.changed
        WHERE r.changed < excluded.changed
        """;

    private const string RestrictionSql = """
        INSERT INTO restrictions AS r (conversation, member, kind, active, until, reason, made_by, changed)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (conversation, member, kind) DO UPDATE SET
            active = excluded.active, until = excluded.until, reason = excluded.reason, made_by = excluded.made_by, changed = excluded.changed
        WHERE r.changed < excluded.changed
        """;

    // Behind the rows of the batch: what is later in the log than the deletion stays.
    private const string MembersEndSql = """
        UPDATE members m SET joined = false, role = 0, changed = b.begun
        FROM unnest($1, $2) AS b (conversation, begun)
        WHERE m.conversation = b.conversation AND m.changed < b.begun AND (m.joined OR m.role <> 0)
        """;

    private const string RestrictionsEndSql = """
        UPDATE restrictions r SET active = false, changed = b.begun
        FROM unnest($1, $2) AS b (conversation, begun)
        WHERE r.conversation = b.conversation AND r.changed < b.begun AND r.active
        """;

    private readonly SortedDictionary<string, RoomRow> _rooms = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Conversation, string Member, short Kind), RestrictionRow> _restrictions = [];

    public void Add(LogEntry entry, RoomRecord record)
    {
        var place = entry.Position.Packed;
        Add(new RoomRow(
            record.Conversation.Value, record.IsDeletion ? RoomSettings.Plain : record.Settings, record.Timestamp, record.IsDeletion,
            record.Life, record.Floor, record.IsDeletion ? place : 0, place, Plain: false));
    }

    /// <summary>A room that a join created.</summary>
    public void Add(LogEntry entry, MembershipRecord record)
    {
        if (record.Creates)
        {
            Add(new RoomRow(
                record.Conversation.Value, RoomSettings.Plain, record.Timestamp, Deleted: false, Life: 0, Floor: 0, Begun: 0,
                entry.Position.Packed, Plain: true));
        }
    }

    public void Add(LogEntry entry, MemberChangeRecord record)
    {
        if (record.Change is not (MemberChange.Banned or MemberChange.Unbanned or MemberChange.Muted or MemberChange.Unmuted))
        {
            return;
        }

        var kind = (short)(record.Change is MemberChange.Banned or MemberChange.Unbanned ? 0 : 1);
        var row = new RestrictionRow(
            record.Conversation.Value, record.User, kind, record.Change is MemberChange.Banned or MemberChange.Muted, record.Until,
            record.Reason, record.By, entry.Position.Packed);
        var key = (row.Conversation, row.Member, kind);
        if (!_restrictions.TryGetValue(key, out var other) || other.Changed < row.Changed)
        {
            _restrictions[key] = row;
        }
    }

    public IEnumerable<NpgsqlBatchCommand> ToUpserts()
    {
        if (_rooms.Count > 0)
        {
            yield return ToRooms([.. _rooms.Values]);
        }

        if (_restrictions.Count > 0)
        {
            yield return ToRestrictions();
        }

        List<RoomRow> ended = [.. _rooms.Values.Where(row => row.Begun > 0)];
        foreach (var sql in ended.Count > 0 ? (string[])[MembersEndSql, RestrictionsEndSql] : [])
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddArray(NpgsqlDbType.Text, ended, row => row.Conversation);
            command.Parameters.AddArray(NpgsqlDbType.Bigint, ended, row => row.Begun);
            yield return command;
        }
    }

    private void Add(RoomRow row)
    {
        if (_rooms.TryGetValue(row.Conversation, out var other))
        {
            var last = other.Changed < row.Changed ? row : other;
            row = last with
            {
                Life = Math.Max(row.Life, other.Life), Floor = Math.Max(row.Floor, other.Floor), Begun = Math.Max(row.Begun, other.Begun),
            };
        }

        _rooms[row.Conversation] = row;
    }

    private static NpgsqlBatchCommand ToRooms(List<RoomRow> rows)
    {
        var command = new NpgsqlBatchCommand(RoomSql);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Conversation);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => (short)row.Settings.Visibility);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => (short)row.Settings.Sending);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Settings.Name);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Settings.Topic);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Settings.Meta);
        command.Parameters.AddArray(NpgsqlDbType.Integer, rows, row => row.Settings.RetentionDays);
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows,
            row => DateTimeOffset.FromUnixTimeMilliseconds(row.Settings.Created > 0 ? row.Settings.Created : row.Timestamp).UtcDateTime);
        command.Parameters.AddArray(NpgsqlDbType.Boolean, rows, row => row.Deleted);
        command.Parameters.AddArray(NpgsqlDbType.Integer, rows, row => row.Life);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Floor);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Begun);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Changed);
        command.Parameters.AddArray(NpgsqlDbType.Boolean, rows, row => row.Plain);
        return command;
    }

    private NpgsqlBatchCommand ToRestrictions()
    {
        // In one order everywhere, like the members.
        List<RestrictionRow> rows =
        [
            .. _restrictions.Values.OrderBy(row => row.Conversation, StringComparer.Ordinal)
                .ThenBy(row => row.Member, StringComparer.Ordinal).ThenBy(row => row.Kind),
        ];
        var command = new NpgsqlBatchCommand(RestrictionSql);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Conversation);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Member);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => row.Kind);
        command.Parameters.AddArray(NpgsqlDbType.Boolean, rows, row => row.Active);
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows,
            row => row.Until > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(row.Until).UtcDateTime : (DateTime?)null);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Reason);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.By);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Changed);
        return command;
    }

    private sealed record RoomRow(
        string Conversation, RoomSettings Settings, long Timestamp, bool Deleted, int Life, long Floor, long Begun, long Changed,
        bool Plain);

    private sealed record RestrictionRow(
        string Conversation, string Member, short Kind, bool Active, long Until, string? Reason, string By, long Changed);
}
