using System.Runtime.CompilerServices;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Writing;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Erasure;

/// <summary>
/// What a user wrote, in PostgreSQL. Thread-safe; throws <see cref="NpgsqlException"/> when it cannot be asked.
/// </summary>
internal sealed class AuthoredContent(NpgsqlDataSource database)
{
    /// <summary>Rows of one transaction: the batch writer waits for none of them longer than a few milliseconds.</summary>
    private const int RowsPerCall = 100;

    // One look into the index of nonces, which begins with conversation and sender, for each conversation that there is. An index by sender
    // would be faster here, and would cost every message that is ever written.
    private const string ConversationsSql = """
        SELECT c.conversation FROM conversations c
        WHERE c.conversation > $1 AND EXISTS (SELECT FROM events e WHERE e.conversation = c.conversation AND e.sender = $2)
        ORDER BY c.conversation LIMIT $3
        """;

    private const string SeqsSql = """
        SELECT seq FROM events WHERE conversation = $1 AND sender = $2 AND kind IN (0, 1, 2)
            AND (content <> '' OR mentions IS NOT NULL OR meta IS NOT NULL)
        """;

    // An erased message reads like a deleted one. It names itself as what deleted it.
    private const string EraseSql = """
        WITH found AS (DELETE FROM search WHERE conversation = $1 AND seq = ANY ($2)),
        mentioned AS (DELETE FROM mentions WHERE conversation = $1 AND seq = ANY ($2))
        UPDATE events SET content = '', mentions = NULL, meta = NULL, deleted = COALESCE(deleted, seq) WHERE conversation = $1 AND seq = ANY ($2)
        """;

    /// <summary>Conversations behind a place in which the user wrote anything, in byte order.</summary>
    public async Task<List<ConversationKey>> ReadConversationsAsync(string user, string after, int count, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(ConversationsSql);
        // As long as there are conversations; nothing waits for it.
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = user });
        command.Parameters.Add(new() { Value = count });
        var conversations = new List<ConversationKey>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (ConversationKey.TryParse(reader.GetString(0), out var conversation))
            {
                conversations.Add(conversation);
            }
        }
        return conversations;
    }

    /// <summary>
    /// Takes the content out of all messages and edits of the user in one conversation, some hundred rows in a transaction. Gives the
    /// number of each transaction as it commits.
    /// </summary>
    public async IAsyncEnumerable<int> EraseAsync(
        ConversationKey conversation, string user, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var part in (await ReadSeqsAsync(conversation, user, cancellationToken)).Chunk(RowsPerCall))
        {
            await using var command = database.CreateCommand(EraseSql);
            command.Parameters.Add(new() { Value = conversation.Value });
            command.Parameters.AddArray(NpgsqlDbType.Bigint, part, seq => seq);
            yield return await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Ends what is kept of the user besides what they wrote: memberships and read cursors, the profile, what webhooks were to tell of what the
    /// user has not seen. That tokens are revoked stays.
    /// </summary>
    public async Task ForgetUserAsync(string user, CancellationToken cancellationToken)
    {
        foreach (var sql in (string[])[
            "DELETE FROM members WHERE member = $1",
            "UPDATE users SET name = NULL, name_key = NULL, picture = NULL, first_seen = NULL WHERE user_id = $1",
            "DELETE FROM webhook_unseen WHERE member = $1",
        ])
        {
            await using var command = database.CreateCommand(sql);
            command.CommandTimeout = 0;
            command.Parameters.Add(new() { Value = user });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private async Task<List<long>> ReadSeqsAsync(ConversationKey conversation, string user, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(SeqsSql);
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = conversation.Value });
        command.Parameters.Add(new() { Value = user });
        var seqs = new List<long>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            seqs.Add(reader.GetInt64(0));
        }

        return seqs;
    }
}
