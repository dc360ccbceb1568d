using AspireChat.Contracts;
using AspireChat.PersistenceService.Writing;
using Npgsql;

namespace AspireChat.PersistenceService.Users;

/// <summary>The known users in PostgreSQL. Thread-safe; throws <see cref="NpgsqlException"/> when it cannot be asked.</summary>
internal sealed class UserTable(NpgsqlDataSource database)
{
    /// <summary>Above every text that begins with what stands before it: the last character of all.</summary>
    private const string Last = "\U0010FFFF";

    // Each half is a range of one index, and ends with as many rows as are asked for.
    private const string SearchSql = """
        SELECT user_id, name, picture FROM (
            (SELECT user_id, name, picture, id_key FROM users
                WHERE first_seen IS NOT NULL AND id_key >= $1 AND id_key < $2 ORDER BY id_key LIMIT $3)
            UNION
            (SELECT user_id, name, picture, id_key FROM users
                WHERE first_seen IS NOT NULL AND name_key IS NOT NULL AND name_key >= $1 AND name_key < $2 ORDER BY name_key LIMIT $3)) found
        ORDER BY id_key, user_id LIMIT $3
        """;

    /// <summary>Known users whose id or name begins so, whatever the case, by id.</summary>
    public async Task<List<(string User, UserProfile? Profile)>> SearchAsync(string start, int limit, CancellationToken cancellationToken)
    {
        var key = UserColumns.KeyOf(start);
        await using var command = database.CreateCommand(SearchSql);
        command.Parameters.Add(new() { Value = key });
        command.Parameters.Add(new() { Value = key + Last });
        command.Parameters.Add(new() { Value = (long)limit });
        var users = new List<(string, UserProfile?)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (name, picture) = (reader.IsDBNull(1) ? null : reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2));
            users.Add((reader.GetString(0), (name ?? picture) is null ? null : new UserProfile(name, picture)));
        }
        return users;
    }
}
