using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Outbox;

/// <summary>
/// Notes in the transaction of a batch what webhooks are to be told of it: one row for each event and webhook. So nothing that is committed can
/// be missed, and nothing is told that is not. Thread-safe.
/// </summary>
internal sealed class OutboxWriter(IOptions<WebhookOptions> options, OutboxBell bell, TimeProvider time) : IBatchAddition
{
    private const string Columns = "(webhook, partition, lane, position, seq, kind, at, queued_at, detail)";

    private const string Rows = """
        SELECT b.webhook, b.partition, b.lane, b.position, b.seq, b.kind, b.at, $9, b.detail
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS b (webhook, partition, lane, position, seq, kind, at, detail)
        """;

    private const string EventsSql = $"INSERT INTO webhook_outbox {Columns}\n{Rows}\nON CONFLICT DO NOTHING";

    // What is delivered again may have been told already: its rows are gone then, and its event is there.
    private const string NewEventsSql = $"""
        INSERT INTO webhook_outbox {Columns}
        {Rows}
        WHERE NOT EXISTS (SELECT FROM events e WHERE e.conversation = b.lane AND e.seq = b.seq)
        ON CONFLICT DO NOTHING
        """;

    // What is no event has no seq. A later place in the log than its own says that it was written before.
    private const string MembersSql = $"""
        INSERT INTO webhook_outbox {Columns}
        {Rows}
        WHERE NOT EXISTS (SELECT FROM members m WHERE m.conversation = b.lane AND m.member = b.detail::json ->> 'user' AND m.changed >= b.position)
            AND NOT EXISTS (SELECT FROM restrictions r
                WHERE r.conversation = b.lane AND r.member = b.detail::json ->> 'user' AND r.changed >= b.position)
            AND NOT EXISTS (SELECT FROM rooms r WHERE b.kind = $10 AND r.conversation = b.lane AND r.changed >= b.position)
        ON CONFLICT DO NOTHING
        """;

    private const string UnseenSql = """
        INSERT INTO webhook_unseen (partition, due_at, conversation, seq, member, at)
        SELECT b.partition, $6, b.conversation, b.seq, b.member, b.at
        FROM unnest($1, $2, $3, $4, $5) AS b (partition, conversation, seq, member, at)
        WHERE NOT EXISTS (SELECT FROM events e WHERE e.conversation = b.conversation AND e.seq = b.seq)
        ON CONFLICT DO NOTHING
        """;

    private readonly KeyValuePair<int, WebhookTarget>[] _targets = [.. options.Value.Targets.OrderBy(target => target.Key)];
    private readonly bool _unseen = options.Value.Wants(WebhookKind.MessageUnseen);

    public IReadOnlyList<NpgsqlBatchCommand> CommandsFor(IReadOnlyList<PartitionBatch> batches, bool tolerant)
    {
        var (events, members) = (new List<Row>(), new List<Row>());
        var unseen = new List<Addressee>();
        foreach (var batch in batches)
        {
            foreach (var entry in batch.Entries)
            {
                if (entry.Record is null || WebhookEvents.Of(entry.Record) is not { } told)
                {
                    continue;
                }

                // A dead letter of the log is replayed by the replica that was asked; what counts is where its conversation is.
                var partition = (short)LogPartitions.Of(told.Lane);
                Note(told.Seq > 0 ? events : members, partition, entry, told);
                if (WebhookEvents.CreationOf(entry.Record) is { } creation)
                {
                    Note(members, partition, entry, creation);
                }

                if (_unseen && entry.Record is ConversationEvent e)
                {
                    unseen.AddRange(WebhookEvents.AddresseesOf(e).Select(user => new Addressee(partition, e, user)));
                }
            }
        }

        var commands = new List<NpgsqlBatchCommand>();
        if (events.Count > 0)
        {
            commands.Add(ToCommand(tolerant ? NewEventsSql : EventsSql, events));
        }

        if (members.Count > 0)
        {
            var command = ToCommand(MembersSql, members);
            command.Parameters.Add(new() { Value = (short)WebhookKind.RoomChanged });
            commands.Add(command);
        }

        if (unseen.Count > 0)
        {
            commands.Add(ToCommand(unseen));
        }

        return commands;
    }

    public void Committed(IReadOnlyList<PartitionBatch> batches)
    {
        foreach (var entry in batches.SelectMany(batch => batch.Entries))
        {
            if (entry.Record is not null && WebhookEvents.Of(entry.Record) is { } told)
            {
                bell.Ring(told.Lane, told.Kind);
                if (WebhookEvents.CreationOf(entry.Record) is { } creation)
                {
                    bell.Ring(creation.Lane, creation.Kind);
                }
            }
        }
    }

    private void Note(List<Row> rows, short partition, LogEntry entry, in WebhookEvent told)
    {
        foreach (var (number, target) in _targets)
        {
            if (target.Wants(told.Kind))
            {
                rows.Add(new Row((short)number, partition, entry.Position.Packed, told));
            }
        }
    }

    private NpgsqlBatchCommand ToCommand(string sql, List<Row> rows)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => row.Webhook);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => row.Partition);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Told.Lane);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Position);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Told.Seq);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => (short)row.Told.Kind);
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows, row => DateTimeOffset.FromUnixTimeMilliseconds(row.Told.At).UtcDateTime);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Told.Detail);
        command.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime });
        return command;
    }

    private NpgsqlBatchCommand ToCommand(List<Addressee> rows)
    {
        var command = new NpgsqlBatchCommand(UnseenSql);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => row.Partition);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Message.Conversation.Value);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Message.Seq);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.User);
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows, row => DateTimeOffset.FromUnixTimeMilliseconds(row.Message.Timestamp).UtcDateTime);
        command.Parameters.Add(new() { Value = (time.GetUtcNow() + options.Value.UnseenAfter).UtcDateTime });
        return command;
    }

    private readonly record struct Row(short Webhook, short Partition, long Position, WebhookEvent Told);

    private readonly record struct Addressee(short Partition, ConversationEvent Message, string User);
}

/// <summary>Tells the webhooks of this replica that something was committed. Thread-safe.</summary>
internal sealed class OutboxBell
{
    /// <summary>Something of this kind waits in the lane.</summary>
    public event Action<string, WebhookKind>? Rung;

    public void Ring(string lane, WebhookKind kind) => Rung?.Invoke(lane, kind);
}
