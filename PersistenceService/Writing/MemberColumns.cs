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
        INSERT INTO members AS m (conversation, member, joined, read, joined_at, changed)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
        ON CONFLICT (conversation, member) DO UPDATE SET
            joined = excluded.joined,
            read = GREATEST(m.read, excluded.read),
            joined_at = CASE WHEN excluded.joined THEN excluded.joined_at ELSE m.joined_at END,
            changed = excluded.changed
        WHERE m.changed < excluded.changed
        """;

    // Forward only. A cursor makes nobody a member of a room; in a direct conversation both are members from the start.
    private const string CursorSql = """
        INSERT INTO members AS m (conversation, member, joined, read, joined_at, changed)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
        ON CONFLICT (conversation, member) DO UPDATE SET read = excluded.read
        WHERE m.read < excluded.read
        """;

    private const string ParticipantsSql = """
        INSERT INTO members (conversation, member, joined, read, joined_at, changed)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING
        """;

    private readonly Dictionary<(string Conversation, string Member), Row> _memberships = [];
    private readonly Dictionary<(string Conversation, string Member), Row> _cursors = [];

    public void Add(LogEntry entry, MembershipRecord record)
    {
        var row = new Row(record.Conversation.Value, record.User, record.Joined, record.Read, record.Timestamp, entry.Position.Packed);
        var key = (row.Conversation, row.Member);
        if (!_memberships.TryGetValue(key, out var other) || other.Changed < row.Changed)
        {
            _memberships[key] = row;
        }
    }

    public void Add(ReadRecord record)
    {
        var row = new Row(record.Conversation.Value, record.User, !record.Conversation.IsRoom, record.Seq, record.Timestamp, 0);
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
            rows.Add(new Row(conversation.Value, first, true, 0, timestamp, 0));
            rows.Add(new Row(conversation.Value, second, true, 0, timestamp, 0));
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
        return command;
    }

    private sealed record Row(string Conversation, string Member, bool Joined, long Read, long Timestamp, long Changed);
}
