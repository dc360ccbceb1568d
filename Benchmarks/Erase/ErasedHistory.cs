using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Migrations;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.Benchmarks.Erase;

/// <summary>
/// What was written before the measurement: rows of PostgreSQL that the services find when they start. The user who is erased wrote an equal part
/// of each room.
/// </summary>
internal sealed class ErasedHistory(EraseOptions options)
{
    public const string User = "erased";

    /// <summary>As many rooms as a connection may join.</summary>
    private const int Rooms = 200;

    private const int Others = 1_000, Words = 12;

    private static readonly DateTime Begin = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private static readonly string[] Vocabulary = [.. Enumerable.Range(0, 20_000).Select(n => "w" + n.ToString(CultureInfo.InvariantCulture))];

    public async Task WriteAsync(string connectionString)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        await new Migrator(database, TimeProvider.System, NullLogger<Migrator>.Instance).RunAsync(Migration.All, CancellationToken.None);
        await using (var connection = await database.OpenConnectionAsync())
        {
            await WriteEventsAsync(connection);
            await WriteConversationsAsync(connection);
        }

        await ExecuteAsync(database, """
            INSERT INTO rooms (conversation, visibility, sending, created_at, changed) SELECT conversation, 0, 0, now(), 1 FROM conversations;
            INSERT INTO members (conversation, member, joined, read, joined_at, changed)
            SELECT DISTINCT conversation, sender, true, 0, now(), 1 FROM events;
            INSERT INTO users (user_id, id_key, first_seen) SELECT DISTINCT sender, sender, now() FROM events;
            """);
        await ExecuteAsync(database, "VACUUM ANALYZE");
    }

    /// <summary>Waits until all words are in the index: its work is not what is measured.</summary>
    public static async Task IndexedAsync(NpgsqlDataSource database)
    {
        await using var behind = database.CreateCommand("""
            SELECT count(*) FROM conversations c LEFT JOIN search_marks m USING (conversation) WHERE COALESCE(m.seq, 0) < c.head
            """);
        while ((long)(await behind.ExecuteScalarAsync())! > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Messages of the user that still have content.</summary>
    public static async Task<long> LeftAsync(NpgsqlDataSource database)
    {
        await using var left = database.CreateCommand($"SELECT count(*) FROM events WHERE sender = '{User}' AND content <> ''");
        left.CommandTimeout = 0;
        return (long)(await left.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }

    private static string Room(int number) => string.Create(CultureInfo.InvariantCulture, $"history-{number}");

    private async Task WriteEventsAsync(NpgsqlConnection connection)
    {
        var (random, text) = (new Random(7), new string[Words]);
        await using var rows = await connection.BeginBinaryImportAsync(
            "COPY events (conversation, seq, created_at, id, kind, removes, sender, nonce, epoch, content) FROM STDIN (FORMAT BINARY)");
        for (var n = 0; n < options.Messages; n++)
        {
            var seq = n / Rooms + 1;
            // Spread evenly: of each room the same share of seqs.
            var isOwn = (long)seq * options.Own / options.Messages != (long)(seq - 1) * options.Own / options.Messages;
            for (var i = 0; i < Words; i++)
            {
                text[i] = Vocabulary[(int)(Vocabulary.Length * Math.Pow(random.NextDouble(), 3))];
            }

            await rows.StartRowAsync();
            await rows.WriteAsync(ConversationKey.Room(Room(n % Rooms)).Value, NpgsqlDbType.Text);
            await rows.WriteAsync((long)seq, NpgsqlDbType.Bigint);
            await rows.WriteAsync(Begin.AddMilliseconds(100L * n), NpgsqlDbType.TimestampTz);
            await rows.WriteAsync(Guid.CreateVersion7(), NpgsqlDbType.Uuid);
            await rows.WriteAsync((short)0, NpgsqlDbType.Smallint);
            await rows.WriteAsync(false, NpgsqlDbType.Boolean);
            await rows.WriteAsync(isOwn ? User : "u" + random.Next(Others).ToString(CultureInfo.InvariantCulture), NpgsqlDbType.Text);
            await rows.WriteAsync(n.ToString("x16", CultureInfo.InvariantCulture), NpgsqlDbType.Text);
            await rows.WriteAsync("history", NpgsqlDbType.Text);
            await rows.WriteAsync(string.Join(' ', text), NpgsqlDbType.Text);
        }

        await rows.CompleteAsync();
    }

    private async Task WriteConversationsAsync(NpgsqlConnection connection)
    {
        await using var rows = await connection.BeginBinaryImportAsync(
            "COPY conversations (conversation, partition, head, updated_at) FROM STDIN (FORMAT BINARY)");
        for (var room = 0; room < Rooms; room++)
        {
            var key = ConversationKey.Room(Room(room));
            await rows.StartRowAsync();
            await rows.WriteAsync(key.Value, NpgsqlDbType.Text);
            await rows.WriteAsync((short)key.Partition, NpgsqlDbType.Smallint);
            await rows.WriteAsync((options.Messages - room - 1) / Rooms + 1L, NpgsqlDbType.Bigint);
            await rows.WriteAsync(DateTime.UnixEpoch.AddYears(56), NpgsqlDbType.TimestampTz);
        }

        await rows.CompleteAsync();
    }
}
