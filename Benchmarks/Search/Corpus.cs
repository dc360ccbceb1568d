using System.Globalization;
using System.Text;
using AspireChat.Contracts.Conversations;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.Benchmarks.Search;

/// <summary>Messages to search in, the same in each run, written as rows of PostgreSQL: the log is not what is measured.</summary>
internal sealed class Corpus(NpgsqlDataSource database, int messages)
{
    public const int Rooms = 1_000, Mine = 200, Words = 20_000, WordsPerMessage = 12;

    private const int Users = 500;

    private static readonly DateTime Begin = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly Random _random = new(7);
    private readonly double[] _words = Zipf(Words);
    private readonly double[] _rooms = Zipf(Rooms);

    /// <summary>The word that is the n-th common one.</summary>
    public static string Word(int rank) => "w" + rank.ToString(CultureInfo.InvariantCulture);

    public static string Room(int rank) => "room" + rank.ToString(CultureInfo.InvariantCulture);

    public async Task WriteAsync(string user)
    {
        var heads = new long[Rooms];
        await using (var connection = await database.OpenConnectionAsync())
        {
            await using var rows = await connection.BeginBinaryImportAsync(
                "COPY events (conversation, seq, created_at, id, kind, removes, sender, nonce, epoch, content) FROM STDIN (FORMAT BINARY)");
            for (var n = 0; n < messages; n++)
            {
                var room = Draw(_rooms);
                await rows.StartRowAsync();
                await rows.WriteAsync(ConversationKey.Room(Room(room)).Value, NpgsqlDbType.Text);
                await rows.WriteAsync(++heads[room], NpgsqlDbType.Bigint);
                await rows.WriteAsync(Begin.AddMilliseconds(100L * n), NpgsqlDbType.TimestampTz);
                await rows.WriteAsync(Guid.CreateVersion7(), NpgsqlDbType.Uuid);
                await rows.WriteAsync((short)0, NpgsqlDbType.Smallint);
                await rows.WriteAsync(false, NpgsqlDbType.Boolean);
                await rows.WriteAsync("u" + _random.Next(Users).ToString(CultureInfo.InvariantCulture), NpgsqlDbType.Text);
                await rows.WriteAsync(n.ToString("x16", CultureInfo.InvariantCulture), NpgsqlDbType.Text);
                await rows.WriteAsync("bench", NpgsqlDbType.Text);
                await rows.WriteAsync(Content(), NpgsqlDbType.Text);
            }

            await rows.CompleteAsync();
        }

        await using var rest = database.CreateCommand(
            """
            INSERT INTO conversations (conversation, partition, head, updated_at) SELECT conversation, 0, max(seq), now() FROM events GROUP BY conversation;
            INSERT INTO rooms (conversation, visibility, sending, created_at, changed) SELECT conversation, 1, 0, now(), 1 FROM conversations
            """);
        rest.CommandTimeout = 0;
        await rest.ExecuteNonQueryAsync();
        // Every fifth room, so that large and small ones are among them; and the two that are searched alone.
        await using var members = database.CreateCommand(
            """
            INSERT INTO members (conversation, member, joined, read, joined_at, changed)
            SELECT 'r:room' || n, $1, true, 0, now(), 1 FROM generate_series(0, $2 - 1) n WHERE n % 5 = 0
            """);
        members.Parameters.Add(new() { Value = user });
        members.Parameters.Add(new() { Value = Rooms });
        await members.ExecuteNonQueryAsync();
    }

    private string Content()
    {
        var text = new StringBuilder();
        for (var i = 0; i < WordsPerMessage; i++)
        {
            text.Append(i == 0 ? "" : " ").Append(Word(Draw(_words)));
        }

        return text.ToString();
    }

    private int Draw(double[] sums)
    {
        var found = Array.BinarySearch(sums, _random.NextDouble() * sums[^1]);
        return Math.Min(found < 0 ? ~found : found, sums.Length - 1);
    }

    /// <summary>The sums of 1/n.</summary>
    private static double[] Zipf(int count)
    {
        var sums = new double[count];
        for (var n = 0; n < count; n++)
        {
            sums[n] = (n == 0 ? 0 : sums[n - 1]) + 1.0 / (n + 1);
        }

        return sums;
    }
}
