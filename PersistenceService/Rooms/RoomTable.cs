using AspireChat.Contracts.Conversations;
using Npgsql;

namespace AspireChat.PersistenceService.Rooms;

/// <summary>Rooms as committed. Thread-safe; throws <see cref="NpgsqlException"/> when PostgreSQL cannot be asked.</summary>
internal sealed class RoomTable(NpgsqlDataSource database)
{
    // The words are found by their index; what is found is sorted by id. Without words the primary key is walked in order.
    private const string AllSql = """
        SELECT r.conversation FROM rooms r
        WHERE NOT r.deleted AND r.conversation > $1 AND ($2 = '' OR r.words @@ to_tsquery('simple', $2))
        ORDER BY r.conversation LIMIT $3
        """;

    private const string VisibleSql = """
        SELECT r.conversation FROM rooms r
        WHERE NOT r.deleted AND r.conversation > $1 AND ($2 = '' OR r.words @@ to_tsquery('simple', $2))
            AND (r.visibility = 0 OR EXISTS (SELECT FROM members m WHERE m.conversation = r.conversation AND m.member = $4 AND m.joined))
        ORDER BY r.conversation LIMIT $3
        """;

    private const string WipeSql = """
        WITH part AS (
            SELECT r.conversation, r.wiped, LEAST(r.floor, r.wiped + $1) AS until FROM rooms r
            WHERE r.wiped < r.floor ORDER BY r.conversation LIMIT 1 FOR UPDATE SKIP LOCKED),
        gone AS (
            UPDATE events e SET content = '', mentions = NULL, meta = NULL, deleted = COALESCE(e.deleted, e.seq) FROM part p
            WHERE e.conversation = p.conversation AND e.seq > p.wiped AND e.seq <= p.until AND e.content IS NOT NULL),
        found AS (
            DELETE FROM search s USING part p WHERE s.conversation = p.conversation AND s.seq > p.wiped AND s.seq <= p.until),
        mentioned AS (
            DELETE FROM mentions x USING part p WHERE x.conversation = p.conversation AND x.seq > p.wiped AND x.seq <= p.until)
        UPDATE rooms r SET wiped = p.until FROM part p WHERE r.conversation = p.conversation
        """;

    /// <summary>Rooms behind <paramref name="after"/> in the order of their ids.</summary>
    /// <param name="words">As to_tsquery reads them (<see cref="RoomQuery"/>); empty: any room.</param>
    /// <param name="user">Only public rooms and those in which this user is a member; null: all.</param>
    public async Task<List<ConversationKey>> ListAsync(string after, string words, int count, string? user, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(user is null ? AllSql : VisibleSql);
        command.Parameters.Add(new() { Value = after.Length == 0 ? "" : ConversationKey.Room(after).Value });
        command.Parameters.Add(new() { Value = words });
        command.Parameters.Add(new() { Value = (long)count });
        if (user is not null)
        {
            command.Parameters.Add(new() { Value = user });
        }

        var rooms = new List<ConversationKey>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (ConversationKey.TryParse(reader.GetString(0), out var room) && room.IsRoom)
            {
                rooms.Add(room);
            }
        }

        return rooms;
    }

    /// <summary>Takes the content out of so many events of a room that was deleted. False: there is no such room.</summary>
    public async Task<bool> WipeAsync(int events, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(WipeSql);
        command.Parameters.Add(new() { Value = (long)events });
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }
}
