using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// What a batch says of memberships and read cursors, one row for each member: of several memberships the last in the log counts, of
/// several cursors the furthest.
/// </summary>
internal sealed class MemberColumns
{
    // The later place in the log wins, so an entry that is delivered again, or late, changes nothing.
    private const string MembershipSql = """
        INSERT INTO members AS m (conversation, member, joined, read, joined_at, changed, role)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (conversation, member) DO UPDATE SET
            joined = excluded.joined,
            read = GREATEST(m.read, excluded.read),
            joined_at = CASE WHEN excluded.joined AND NOT m.joined THEN excluded.joined_at ELSE m.joined_at END,
            changed = excluded.changed,
            role = excluded.role
        WHERE m.changed < excluded.changed
        """;

    // Forward only. A cursor makes nobody a member of a room; in a direct conversation both are members from the start.
    private const string CursorSql = """
        INSERT INTO members AS m (conversation, member, joined, read, joined_at, changed, role)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (conversation, member) DO UPDATE SET read = excluded.read
        WHERE m.read < excluded.read
        """;

    private const string ParticipantsSql = """
        INSERT INTO members (conversation, member, joined, read, joined_at, changed, role)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>The column <c>role</c>: 0003_rooms.sql.</summary>
    private const short Removed = -1, Member = 0, Owner = 2;

    private readonly Dictionary<(string Conversation, string Member), Row> _memberships = [];
    private readonly Dictionary<(string Conversation, string Member), Row> _cursors = [];

    public void Add(LogEntry entry, MembershipRecord record) => Add(new Row(
        record.Conversation.Value, record.User, record.Joined, record.Read, record.Timestamp, entry.Position.Packed,
        record.Owner ? Owner : Member));

    /// <summary>What a change says of the membership; bans and mutes are <see cref="RoomColumns"/>'.</summary>
    public void Add(LogEntry entry, MemberChangeRecord record)
    {
        if (record.IsOut || record.Change is MemberChange.Added or MemberChange.Role)
        {
            Add(new Row(
                record.Conversation.Value, record.User, !record.IsOut, record.Read, record.Timestamp, entry.Position.Packed,
                record.IsOut ? Removed : (short)Math.Max(Member, (int)record.Role - 1)));
        }
    }

    private void Add(Row row)
    {
        var key = (row.Conversation, row.Member);
        if (!_memberships.TryGetValue(key, out var other) || other.Changed < row.Changed)
        {
            _memberships[key] = row;
        }
    }

    public void Add(ReadRecord record)
    {
        var row = new Row(record.Conversation.Value, record.User, !record.Conversation.IsRoom, record.Seq, record.Timestamp, 0, Member);
        var key = (row.Conversation, row.Member);
        if (!_cursors.TryGetValue(key, out var other) || other.Read < row.Read)
        {
            _cursors[key] = row;
        }
    }

    public IEnumerable<NpgsqlBatchCommand> ToUpserts()
    {
        if (_memberships.Count > 0)
        {
            yield return ToCommand(MembershipSql, _memberships.Values);
        }

        if (_cursors.Count > 0)
        {
            yield return ToCommand(CursorSql, _cursors.Values);
        }
    }

    /// <summary>Both users of direct conversations that have their first event.</summary>
    public static NpgsqlBatchCommand ToParticipants(IEnumerable<(ConversationKey Conversation, long Timestamp)> conversations)
    {
        var rows = new HashSet<Row>();
        foreach (var (conversation, timestamp) in conversations)
        {
            var (first, second) = conversation.Users;
            rows.Add(new Row(conversation.Value, first, true, 0, timestamp, 0, Member));
            rows.Add(new Row(conversation.Value, second, true, 0, timestamp, 0, Member));
        }
        return ToCommand(ParticipantsSql, rows);
    }

    private static NpgsqlBatchCommand ToCommand(string sql, IEnumerable<Row> unsorted)
    {
        // Every writer locks rows in the same order, so two of them (a lease that ran out in the middle of a batch) cannot deadlock.
        var rows = unsorted
            .OrderBy(row => row.Conversation, StringComparer.Ordinal)
            .ThenBy(row => row.Member, StringComparer.Ordinal)
            .ToList();
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Conversation);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Member);
        command.Parameters.AddArray(NpgsqlDbType.Boolean, rows, row => row.Joined);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Read);
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows,
            row => DateTimeOffset.FromUnixTimeMilliseconds(row.Timestamp).UtcDateTime);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Changed);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => row.Role);
        return command;
    }

    private sealed record Row(string Conversation, string Member, bool Joined, long Read, long Timestamp, long Changed, short Role);
}
