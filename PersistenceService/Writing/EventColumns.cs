using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// The events of a batch as one array per column: PostgreSQL unnests them into rows, which costs one statement however many there are.
/// </summary>
internal sealed class EventColumns
{
    private const string Sql = """
        INSERT INTO events (conversation, seq, created_at, target, id, kind, removes, sender, nonce, epoch, content, emoji)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """;

    // Only batches that have details pay for their columns.
    private const string DetailsSql = """
        INSERT INTO events (conversation, seq, created_at, target, id, kind, removes, sender, nonce, epoch, content, emoji, reply_to, mentions, meta)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        """;

    private const string Tolerant = "\nON CONFLICT DO NOTHING";
    private const string TolerantSql = Sql + Tolerant;
    private const string TolerantDetailsSql = DetailsSql + Tolerant;

    private readonly List<LogEntry> _entries = [];
    private readonly List<ConversationEvent> _events = [];
    private bool _hasDetails;

    public int Count => _events.Count;

    /// <summary>In the order of the rows.</summary>
    public IReadOnlyList<LogEntry> Entries => _entries;

    public IReadOnlyList<ConversationEvent> Events => _events;

    public void Add(LogEntry entry, ConversationEvent e)
    {
        _entries.Add(entry);
        _events.Add(e);
        _hasDetails |= e.Details is not null;
    }

    /// <param name="tolerant">Skip rows that exist; otherwise one such row fails the statement.</param>
    /// <exception cref="ArgumentOutOfRangeException">A timestamp is beyond what a date can be.</exception>
    public NpgsqlBatchCommand ToInsert(bool tolerant)
    {
        var command = new NpgsqlBatchCommand(
            _hasDetails ? tolerant ? TolerantDetailsSql : DetailsSql : tolerant ? TolerantSql : Sql);
        command.Parameters.AddArray(NpgsqlDbType.Text, _events, e => e.Conversation.Value);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, _events, e => e.Seq);
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, _events,
            e => DateTimeOffset.FromUnixTimeMilliseconds(e.Timestamp).UtcDateTime);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, _events, e => e.Target > 0 ? e.Target : (long?)null);
        command.Parameters.AddArray(NpgsqlDbType.Uuid, _events, e => e.Id);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, _events, e => (short)e.Kind);
        command.Parameters.AddArray(NpgsqlDbType.Boolean, _events, e => e.Remove);
        command.Parameters.AddArray(NpgsqlDbType.Text, _events, e => e.From);
        command.Parameters.AddArray(NpgsqlDbType.Text, _events, StoredNonce.Of);
        command.Parameters.AddArray(NpgsqlDbType.Text, _events, e => e.Epoch);
        command.Parameters.AddArray(NpgsqlDbType.Text, _events, e => e.Content);
        command.Parameters.AddArray(NpgsqlDbType.Text, _events, e => e.Emoji);
        if (_hasDetails)
        {
            command.Parameters.AddArray(NpgsqlDbType.Bigint, _events, e => e.Details is { ReplyTo: > 0 } details ? details.ReplyTo : (long?)null);
            command.Parameters.AddArray(
                NpgsqlDbType.Text, _events, e => e.Details?.Mentions is { } mentions ? string.Join(' ', mentions) : null);
            command.Parameters.AddArray(NpgsqlDbType.Text, _events, e => e.Details?.Meta);
        }

        return command;
    }
}

internal static class ArrayParameterExtensions
{
    /// <summary>Adds one array parameter: a value of each item.</summary>
    public static void AddArray<TItem, TValue>(
        this NpgsqlParameterCollection parameters, NpgsqlDbType type, IReadOnlyList<TItem> items, Func<TItem, TValue> value)
    {
        var array = new TValue[items.Count];
        for (var i = 0; i < array.Length; i++)
        {
            array[i] = value(items[i]);
        }

        parameters.Add(new NpgsqlParameter<TValue[]> { TypedValue = array, NpgsqlDbType = NpgsqlDbType.Array | type });
    }
}
