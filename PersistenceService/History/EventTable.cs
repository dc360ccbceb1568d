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
    /// <summary>What <see cref="ReadEvent"/> reads, in its order.</summary>
    internal const string Columns = "seq, created_at, target, edited, deleted, id, kind, removes, sender, nonce, epoch, content, emoji, reply_to, mentions, meta";

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

    private const string OfSenderSql = $"""
        SELECT {Columns}, c.conversation FROM conversations c CROSS JOIN LATERAL (
            SELECT * FROM events e WHERE e.conversation = c.conversation AND e.sender = $1 ORDER BY seq) e
        ORDER BY c.conversation, seq
        """;

    // The newest message is among the newest events, or below the place that its conversation notes. Those in $3 and $4 are left out.
    private const string LastSql = $"""
        SELECT {Columns}, b.number FROM unnest($1, $2) WITH ORDINALITY AS b (name, head, number)
        LEFT JOIN conversations c ON c.conversation = b.name
        CROSS JOIN LATERAL (
            (SELECT * FROM (SELECT * FROM events WHERE conversation = b.name AND seq <= b.head ORDER BY seq DESC LIMIT 100) newest
                WHERE {IsShown} ORDER BY seq DESC LIMIT 1)
            UNION ALL
            (SELECT * FROM events newest WHERE conversation = b.name AND seq <= LEAST(b.head, c.last_message) AND {IsShown}
                ORDER BY seq DESC LIMIT 1)
            LIMIT 1) e
        """;

    private const string IsShown = """
        kind IN (0, 1) AND deleted IS NULL
            AND seq > COALESCE((SELECT r.floor FROM rooms r WHERE r.conversation = newest.conversation), 0)
            AND NOT EXISTS (SELECT FROM unnest($3, $4) AS x (name, seq) WHERE x.name = newest.conversation AND x.seq = newest.seq)
        """;

    private const string MessagesSql = $"""
        SELECT {Columns}, b.number FROM unnest($1, $2) WITH ORDINALITY AS b (name, place, number)
        CROSS JOIN LATERAL (
            SELECT * FROM events WHERE conversation = b.name AND seq = b.place AND kind IN (0, 1) AND deleted IS NULL
                AND seq > COALESCE((SELECT r.floor FROM rooms r WHERE r.conversation = b.name), 0) OFFSET 0) e
        """;

    // As for one conversation, but each message has a conversation and an end of its own.
    private const string ReactionsOfSql = """
        SELECT number, emoji, count(*), (array_agg(sender ORDER BY since))[1:$4]
        FROM (
            SELECT number, emoji, sender, min(seq) FILTER (WHERE seq > taken) AS since
            FROM (
                SELECT b.number, e.emoji, e.sender, e.seq,
                    COALESCE(max(e.seq) FILTER (WHERE e.removes) OVER (PARTITION BY b.number, e.emoji, e.sender), 0) AS taken
                FROM unnest($1, $2, $3) WITH ORDINALITY AS b (name, target, upto, number)
                CROSS JOIN LATERAL (
                    SELECT emoji, sender, seq, removes FROM events
                    WHERE conversation = b.name AND kind = 4 AND target = b.target AND seq <= b.upto OFFSET 0) e) changes
            GROUP BY number, emoji, sender) users
        WHERE since IS NOT NULL
        GROUP BY number, emoji
        ORDER BY number, min(since)
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
                    characters += CharactersOf(item.Event);
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

            characters += CharactersOf(e);
            yield return e;
        }
    }

    /// <summary>
    /// The newest message of each conversation up to its head that is not deleted, as it reads now; null where there is none.
    /// </summary>
    /// <param name="conversations">
    /// Each with its head, and with the seq up to which reactions count: later ones come from the tail.
    /// </param>
    /// <param name="without">Messages that are deleted although that is not committed yet.</param>
    public async Task<HistoryItem?[]> ReadLastAsync(
        IReadOnlyList<(ConversationKey Conversation, long Head, long Durable)> conversations,
        IReadOnlyList<(ConversationKey Conversation, long Seq)> without,
        CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(LastSql, connection);
        command.Parameters.AddArray(NpgsqlDbType.Text, conversations, each => each.Conversation.Value);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, conversations, each => each.Head);
        command.Parameters.AddArray(NpgsqlDbType.Text, without, each => each.Conversation.Value);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, without, each => each.Seq);
        return await ReadItemsAsync(command, [.. conversations.Select(each => (each.Conversation, each.Durable))], cancellationToken);
    }

    /// <summary>These messages as they read now, in this order, without those that are deleted.</summary>
    /// <param name="messages">Each with the seq up to which reactions count: later ones come from the tail.</param>
    public async Task<List<HistoryItem>> ReadMessagesAsync(
        IReadOnlyList<(ConversationKey Conversation, long Seq, long Durable)> messages, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(MessagesSql, connection);
        command.Parameters.AddArray(NpgsqlDbType.Text, messages, each => each.Conversation.Value);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, messages, each => each.Seq);
        var found = await ReadItemsAsync(command, [.. messages.Select(each => (each.Conversation, each.Durable))], cancellationToken);
        return [.. found.OfType<HistoryItem>()];
    }

    /// <param name="command">Its last column is the number of the place in <paramref name="places"/>, from 1 on.</param>
    private async Task<HistoryItem?[]> ReadItemsAsync(
        NpgsqlCommand command, IReadOnlyList<(ConversationKey Conversation, long Durable)> places, CancellationToken cancellationToken)
    {
        var items = new HistoryItem?[places.Count];
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                var i = (int)reader.GetInt64(16) - 1;
                items[i] = new HistoryItem(
                    ReadEvent(reader, places[i].Conversation), reader.IsDBNull(3) ? 0 : reader.GetInt64(3), deleted: !reader.IsDBNull(4),
                    places[i].Durable, options.Value.ReactionUsers);
            }
        }

        var messages = Enumerable.Range(0, items.Length).Where(i => items[i] is not null).ToList();
        if (messages.Count == 0)
        {
            return items;
        }

        await using var reactions = new NpgsqlCommand(ReactionsOfSql, command.Connection);
        reactions.Parameters.AddArray(NpgsqlDbType.Text, messages, i => places[i].Conversation.Value);
        reactions.Parameters.AddArray(NpgsqlDbType.Bigint, messages, i => items[i]!.Seq);
        reactions.Parameters.AddArray(NpgsqlDbType.Bigint, messages, i => places[i].Durable);
        reactions.Parameters.Add(new() { Value = options.Value.ReactionUsers });
        await using var counted = await reactions.ExecuteReaderAsync(cancellationToken);
        while (await counted.ReadAsync(cancellationToken))
        {
            items[messages[(int)counted.GetInt64(0) - 1]]!.AddCommitted(
                counted.GetString(1), counted.GetInt64(2), counted.GetFieldValue<string[]>(3));
        }
        return items;
    }

    /// <summary>All events that a user sent, conversation by conversation, in seq order.</summary>
    public async IAsyncEnumerable<ConversationEvent> ReadOfSenderAsync(
        string user, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(OfSenderSql);
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = user });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (ConversationKey.TryParse(reader.GetString(16), out var conversation))
            {
                yield return ReadEvent(reader, conversation) with { Deleted = !reader.IsDBNull(4) };
            }
        }
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

    /// <param name="reader">At a row whose first columns are <see cref="Columns"/>.</param>
    internal static ConversationEvent ReadEvent(NpgsqlDataReader reader, ConversationKey conversation) => new()
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
        Details = ReadDetails(reader),
    };

    private static MessageDetails? ReadDetails(NpgsqlDataReader reader) =>
        reader.IsDBNull(13) && reader.IsDBNull(14) && reader.IsDBNull(15)
            ? null
            : new MessageDetails
            {
                ReplyTo = reader.IsDBNull(13) ? 0 : reader.GetInt64(13),
                Mentions = reader.IsDBNull(14) ? null : reader.GetString(14).Split(' ', StringSplitOptions.RemoveEmptyEntries),
                Meta = reader.IsDBNull(15) ? null : reader.GetString(15),
            };

    private static int CharactersOf(ConversationEvent e) => (e.Content?.Length ?? 0) + (e.Details?.Bytes ?? 0);
}
