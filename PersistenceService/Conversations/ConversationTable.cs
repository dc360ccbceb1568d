using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Writing;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Conversations;

/// <summary>Where a user stands in one conversation, as committed.</summary>
/// <param name="Messaged">The time of its last message, Unix microseconds; 0 when it has none.</param>
internal readonly record struct Membership(ConversationKey Conversation, long Read, long Messaged);

/// <summary>Members and their cursors in PostgreSQL. Thread-safe; throws <see cref="NpgsqlException"/> when it cannot be asked.</summary>
internal sealed class ConversationTable(NpgsqlDataSource database)
{
    private const string OfMemberSql = """
        SELECT conversation, read, messaged FROM (
            SELECT m.conversation, m.read, COALESCE((EXTRACT(EPOCH FROM c.messaged_at) * 1000000)::bigint, 0) AS messaged
            FROM members m LEFT JOIN conversations c ON c.conversation = m.conversation
            WHERE m.member = $1 AND m.joined) mine
        WHERE (messaged, conversation) < ($2, $3)
        ORDER BY messaged DESC, conversation DESC LIMIT $4
        """;

    private const string NotOfMemberSql = """
        SELECT b.name FROM unnest($1) AS b (name)
        WHERE NOT EXISTS (SELECT FROM members m WHERE m.conversation = b.name AND m.member = $2 AND m.joined)
        """;

    private const string UnreadSql = """
        SELECT b.number, (
            SELECT count(*) FROM events e
            WHERE e.conversation = b.conversation AND e.seq > b.read AND e.seq <= b.durable AND e.kind IN (0, 1) AND e.sender <> $4), (
            SELECT count(*) FROM (
                SELECT FROM mentions s
                WHERE s.member = $4 AND s.conversation = b.conversation AND s.seq > b.read AND s.seq <= b.durable LIMIT $5) counted)
        FROM unnest($1, $2, $3) WITH ORDINALITY AS b (conversation, read, durable, number)
        """;

    private const string MembersSql = """
        SELECT member, read FROM members WHERE conversation = $1 AND joined AND member > $2 ORDER BY member LIMIT $3
        """;

    /// <summary>Mentions of a user in one conversation that are counted.</summary>
    public const int MostMentions = 1_000;

    /// <summary>Up to <paramref name="count"/> conversations of the user behind a place in the list, that with the last message first.</summary>
    public async Task<List<Membership>> ReadConversationsAsync(
        string user, ConversationCursor after, int count, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(OfMemberSql);
        command.Parameters.Add(new() { Value = user });
        command.Parameters.Add(new() { Value = after.Messaged });
        command.Parameters.Add(new() { Value = after.Conversation });
        command.Parameters.Add(new() { Value = (long)count });
        var memberships = new List<Membership>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (ConversationKey.TryParse(reader.GetString(0), out var conversation))
            {
                memberships.Add(new Membership(conversation, reader.GetInt64(1), reader.GetInt64(2)));
            }
        }
        return memberships;
    }

    /// <summary>Those of the conversations in which no membership of the user is committed.</summary>
    public async Task<List<ConversationKey>> ReadUnknownAsync(
        string user, IReadOnlyList<ConversationKey> conversations, CancellationToken cancellationToken)
    {
        var unknown = new List<ConversationKey>();
        if (conversations.Count == 0)
        {
            return unknown;
        }

        await using var command = database.CreateCommand(NotOfMemberSql);
        command.Parameters.AddArray(NpgsqlDbType.Text, conversations, conversation => conversation.Value);
        command.Parameters.Add(new() { Value = user });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (ConversationKey.TryParse(reader.GetString(0), out var conversation))
            {
                unknown.Add(conversation);
            }
        }
        return unknown;
    }

    /// <summary>The last committed seq, or 0.</summary>
    public async Task<long> ReadHeadAsync(ConversationKey conversation, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT head FROM conversations WHERE conversation = $1");
        command.Parameters.Add(new() { Value = conversation.Value });
        return await command.ExecuteScalarAsync(cancellationToken) as long? ?? 0;
    }

    /// <summary>
    /// Messages by others with read &lt; seq &lt;= durable, for each conversation asked for, and how many of them mention the user.
    /// </summary>
    public async Task<(long Unread, long Mentions)[]> CountUnreadAsync(
        string user, IReadOnlyList<(string Conversation, long Read, long Durable)> ranges, CancellationToken cancellationToken)
    {
        var counts = new (long Unread, long Mentions)[ranges.Count];
        if (ranges.Count == 0)
        {
            return counts;
        }

        await using var command = database.CreateCommand(UnreadSql);
        command.Parameters.AddArray(NpgsqlDbType.Text, ranges, range => range.Conversation);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, ranges, range => range.Read);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, ranges, range => range.Durable);
        command.Parameters.Add(new() { Value = user });
        command.Parameters.Add(new() { Value = MostMentions });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            counts[(int)reader.GetInt64(0) - 1] = (reader.GetInt64(1), reader.GetInt64(2));
        }

        return counts;
    }

    /// <summary>Members after <paramref name="after"/> in byte order, with their cursors.</summary>
    public async Task<List<KeyValuePair<string, long>>> ReadMembersAsync(
        ConversationKey room, string after, int count, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(MembersSql);
        command.Parameters.Add(new() { Value = room.Value });
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = (long)count });
        var members = new List<KeyValuePair<string, long>>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            members.Add(new(reader.GetString(0), reader.GetInt64(1)));
        }

        return members;
    }
}
