using System.Runtime.CompilerServices;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.History;

/// <summary>Reads committed events. Thread-safe; throws <see cref="NpgsqlException"/> when PostgreSQL cannot be asked.</summary>
internal sealed class EventTable(NpgsqlDataSource database, IOptions<HistoryOptions> options)
{
    private const string Columns = "seq, created_at, target, edited, deleted, id, kind, removes, sender, nonce, epoch, content, emoji";

    private const string BackPage = "FROM events WHERE conversation = $1 AND seq < $2 AND seq > $4 ORDER BY seq DESC LIMIT $3";

    private const string OnwardPage = "FROM events WHERE conversation = $1 AND seq > GREATEST($2, $4) ORDER BY seq LIMIT $3";

    private const string ForwardPage = "FROM events WHERE conversation = $1 AND seq > $2 ORDER BY seq LIMIT $3";

    // Who reacted first after they took it back last, for those who did not take it back since.
    private const string ReactionsSql = """
        SELECT target, emoji, count(*), (array_agg(sender ORDER BY since))[1:$4]
        FROM (
            SELECT target, emoji, sender, min(seq) FILTER (WHERE seq > taken) AS since
            FROM (
                SELECT target, emoji, sender, seq,
                    COALESCE(max(seq) FILTER (WHERE removes) OVER (PARTITION BY target, emoji, sender), 0) AS taken
                FROM events WHERE conversation = $1 AND kind = 4 AND target = ANY ($2) AND seq <= $3) changes
            GROUP BY target, emoji, sender) users
        WHERE since IS NOT NULL
        GROUP BY target, emoji
        ORDER BY target, min(since)
        """;

    // The different emojis are found one after the other: each step is one look into the index, however often each was used.
    private const string TargetSql = """
        WITH RECURSIVE emojis AS (
            (SELECT emoji, 1 AS number FROM events WHERE conversation = $1 AND target = $2 AND kind = 4 ORDER BY emoji LIMIT 1)
            UNION ALL
            SELECT (SELECT e.emoji FROM events e
                WHERE e.conversation = $1 AND e.target = $2 AND e.kind = 4 AND e.emoji > b.emoji ORDER BY e.emoji LIMIT 1), b.number + 1
            FROM emojis b WHERE b.emoji IS NOT NULL AND b.number < $3)
        SELECT kind, sender, deleted IS NOT NULL,
            (SELECT count(*) FROM (SELECT FROM events e WHERE e.conversation = $1 AND e.target = $2 AND e.kind = 2 LIMIT $3) counted),
            (SELECT count(*) FROM emojis WHERE emoji IS NOT NULL),
            EXISTS (SELECT FROM events e WHERE e.conversation = $1 AND e.target = $2 AND e.kind = 4 AND e.emoji = $4)
        FROM events WHERE conversation = $1 AND seq = $2
        """;

    private const string LastSql = $"""
        SELECT {Columns}, b.number FROM unnest($1, $2) WITH ORDINALITY AS b (name, head, number)
        CROSS JOIN LATERAL (SELECT * FROM events WHERE conversation = b.name AND seq <= b.head ORDER BY seq DESC LIMIT 1) e
        """;

    /// <summary>
    /// Up to <paramref name="count"/> events next to <paramref name="bound"/>: below it, newest first, or forward above it. Fewer when their
    /// content is long, one at least.
    /// </summary>
    /// <param name="reactionsUpTo">Reactions of later seqs are left out: they come from the tail.</param>
    /// <param name="floor">Nothing up to this seq is read.</param>
    /// <returns>The events, and whether there are more.</returns>
    public async Task<(List<HistoryItem> Items, bool More)> ReadPageAsync(
        ConversationKey conversation, long bound, bool forward, int count, long reactionsUpTo, long floor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var items = new List<HistoryItem>();
        var more = false;
        await using (var command = new NpgsqlCommand($"SELECT {Columns} {(forward ? OnwardPage : BackPage)}", connection))
        {
            command.Parameters.Add(new() { Value = conversation.Value });
            command.Parameters.Add(new() { Value = bound });
            command.Parameters.Add(new() { Value = (long)count + 1 });
            command.Parameters.Add(new() { Value = floor });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var characters = 0;
            while (!more && await reader.ReadAsync(cancellationToken))
            {
                more = items.Count == count || characters >= options.Value.PageCharacters;
                if (!more)
                {
                    var item = new HistoryItem(
                        ReadEvent(reader, conversation), reader.IsDBNull(3) ? 0 : reader.GetInt64(3), deleted: !reader.IsDBNull(4),
                        reactionsUpTo, options.Value.ReactionUsers);
                    items.Add(item);
                    characters += item.Event.Content?.Length ?? 0;
                }
            }
        }
        await ReadReactionsAsync(connection, conversation, items, reactionsUpTo, cancellationToken);
        return (items, more);
    }

    /// <summary>
    /// Up to <paramref name="count"/> events above <paramref name="after"/>, oldest first and without a hole, as they are replayed; fewer
    /// when they have more characters than <paramref name="most"/>.
    /// </summary>
    public async IAsyncEnumerable<ConversationEvent> ReadReplayAsync(
        ConversationKey conversation, long after, int count, int most, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT {Columns} {ForwardPage}");
        command.Parameters.Add(new() { Value = conversation.Value });
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = (long)count });
        var characters = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        for (var next = after + 1; characters < most && await reader.ReadAsync(cancellationToken); next++)
        {
            var e = ReadEvent(reader, conversation) with { Deleted = !reader.IsDBNull(4) };
            // A hole means that a batch is on its way: what is behind it comes from the tail.
            if (e.Seq != next)
            {
                break;
            }

            characters += e.Content?.Length ?? 0;
            yield return e;
        }
    }

    /// <summary>
    /// The newest event of each conversation up to the seq that stands with it, as it reads now but without reactions; null where there is
    /// none.
    /// </summary>
    public async Task<HistoryItem?[]> ReadLastAsync(
        IReadOnlyList<(ConversationKey Conversation, long Head)> conversations, CancellationToken cancellationToken)
    {
        var last = new HistoryItem?[conversations.Count];
        await using var command = database.CreateCommand(LastSql);
        command.Parameters.AddArray(NpgsqlDbType.Text, conversations, each => each.Conversation.Value);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, conversations, each => each.Head);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var i = (int)reader.GetInt64(13) - 1;
            last[i] = new HistoryItem(
                ReadEvent(reader, conversations[i].Conversation), reader.IsDBNull(3) ? 0 : reader.GetInt64(3), deleted: !reader.IsDBNull(4));
        }
        return last;
    }

    /// <summary>What may become of a message: null when there is no such event.</summary>
    public async Task<RevisionTarget?> FindTargetAsync(
        ConversationKey conversation, long seq, string emoji, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(TargetSql);
        command.Parameters.Add(new() { Value = conversation.Value });
        command.Parameters.Add(new() { Value = seq });
        command.Parameters.Add(new() { Value = RevisionTarget.MostCounted });
        command.Parameters.Add(new() { Value = emoji });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new RevisionTarget(
                (EventKind)reader.GetInt16(0), reader.GetString(1), reader.GetBoolean(2),
                (int)reader.GetInt64(3), (int)reader.GetInt64(4), reader.GetBoolean(5))
            : null;
    }

    private async Task ReadReactionsAsync(
        NpgsqlConnection connection, ConversationKey conversation, List<HistoryItem> items, long upTo, CancellationToken cancellationToken)
    {
        var messages = items.Where(item => item.IsMessage).ToDictionary(item => item.Seq);
        if (messages.Count == 0)
        {
            return;
        }

        await using var command = new NpgsqlCommand(ReactionsSql, connection);
        command.Parameters.Add(new() { Value = conversation.Value });
        command.Parameters.AddArray(NpgsqlDbType.Bigint, [.. messages.Keys], seq => seq);
        command.Parameters.Add(new() { Value = upTo });
        command.Parameters.Add(new() { Value = options.Value.ReactionUsers });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            messages[reader.GetInt64(0)].AddCommitted(reader.GetString(1), reader.GetInt64(2), reader.GetFieldValue<string[]>(3));
        }
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
        Nonce = StoredNonce.Read(reader.GetString(9), reader.GetString(10)),
        Epoch = reader.GetString(10),
        Content = reader.IsDBNull(11) ? null : reader.GetString(11),
        Emoji = reader.IsDBNull(12) ? null : reader.GetString(12),
    };
}
