using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using Npgsql;

namespace AspireChat.PersistenceService.History;

/// <summary>Reads committed events. Thread-safe; throws <see cref="NpgsqlException"/> when PostgreSQL cannot be asked.</summary>
internal sealed class EventTable(NpgsqlDataSource database)
{
    private const string Columns = "seq, created_at, target, edited, deleted, id, kind, removes, sender, nonce, epoch, content, emoji";

    private const string BackPage = "FROM events WHERE conversation = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";

    private const string ForwardPage = "FROM events WHERE conversation = $1 AND seq > $2 ORDER BY seq LIMIT $3";

    /// <summary>Reactions to the messages of a page, which is found again by its index: one round trip instead of two.</summary>
    private static string ReactionsTo(string page) =>
        $"SELECT {Columns} FROM events WHERE conversation = $1 AND kind = 4 AND target IN (SELECT seq {page}) ORDER BY seq";

    /// <summary>
    /// Up to <paramref name="count"/> events next to <paramref name="bound"/>: below it, newest first, or forward above it.
    /// </summary>
    public async Task<List<HistoryItem>> ReadPageAsync(
        ConversationKey conversation, long bound, bool forward, int count, CancellationToken cancellationToken)
    {
        var page = forward ? ForwardPage : BackPage;
        await using var batch = database.CreateBatch();
        foreach (var sql in (string[])[$"SELECT {Columns} {page}", ReactionsTo(page)])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql)
            {
                Parameters = { new() { Value = conversation.Value }, new() { Value = bound }, new() { Value = (long)count } },
            });
        }
        var items = new List<HistoryItem>();
        var bySeq = new Dictionary<long, HistoryItem>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var item = new HistoryItem(
                ReadEvent(reader, conversation), reader.IsDBNull(3) ? 0 : reader.GetInt64(3), deleted: !reader.IsDBNull(4));
            items.Add(item);
            bySeq[item.Seq] = item;
        }
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var reaction = ReadEvent(reader, conversation);
            if (bySeq.TryGetValue(reaction.Target, out var item))
            {
                item.Apply(reaction);
            }
        }
        return items;
    }

    /// <summary>
    /// Up to <paramref name="count"/> events above <paramref name="after"/>, oldest first and without a hole, as they are replayed.
    /// </summary>
    public async Task<List<ConversationEvent>> ReadReplayAsync(
        ConversationKey conversation, long after, int count, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT {Columns} {ForwardPage}");
        command.Parameters.Add(new() { Value = conversation.Value });
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = (long)count });
        var events = new List<ConversationEvent>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var e = ReadEvent(reader, conversation) with { Deleted = !reader.IsDBNull(4) };
            // A hole means that a batch is on its way: what is behind it comes from the tail.
            if (e.Seq != after + events.Count + 1)
            {
                break;
            }

            events.Add(e);
        }
        return events;
    }

    private static ConversationEvent ReadEvent(NpgsqlDataReader reader, ConversationKey conversation) => new()
    {
        Conversation = conversation,
        Seq = reader.GetInt64(0),
        Timestamp = new DateTimeOffset(reader.GetDateTime(1)).ToUnixTimeMilliseconds(),
        Target = reader.IsDBNull(2) ? 0 : reader.GetInt64(2),
        Id = reader.GetGuid(5),
        Kind = (EventKind)reader.GetInt16(6),
        Remove = reader.GetBoolean(7),
        From = reader.GetString(8),
        Nonce = reader.GetString(9),
        Epoch = reader.GetString(10),
        Content = reader.IsDBNull(11) ? null : reader.GetString(11),
        Emoji = reader.IsDBNull(12) ? null : reader.GetString(12),
    };
}
