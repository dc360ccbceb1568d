using System.Diagnostics;
using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Search;
using AspireChat.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AspireChat.Benchmarks.Search;

/// <summary>
/// How long a search takes among many messages: finding them and reading them as an answer shows them, by the code of PersistenceService on a
/// real PostgreSQL. All rooms are private and the user is a member of some, so each hit outside has to be passed over by its rights. Words are
/// distributed as in language (Zipf), and so are the sizes of rooms.
/// </summary>
internal static class SearchBenchmark
{
    private const int Runs = 60;
    private const string User = "u0";

    private static readonly (string Name, int First, int Count)[] Kinds =
        [("common word", 0, 10), ("middling word", 300, 300), ("rare word", 10_000, 5_000), ("word of nobody", Corpus.Words, 1_000)];

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is not [] and not ["--rows" or "--messages", _] || !int.TryParse(arguments.ElementAtOrDefault(1) ?? "1000000", out var messages))
        {
            Console.Error.WriteLine("Usage: search [--rows N]");
            return 2;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"search: {messages:N0} messages of {Corpus.WordsPerMessage} words in {Corpus.Rooms:N0} private rooms, the user in {Corpus.Mine}; {Runs} searches of each kind"));
        Console.WriteLine(Machine.Describe());
        Console.WriteLine();
        await using var postgres = await RunningPostgres.StartAsync(durable: true);
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
        await new Migrator(database, TimeProvider.System, NullLogger<Migrator>.Instance).RunAsync(Migration.All, CancellationToken.None);
        await new Corpus(database, messages).WriteAsync(User);
        await IndexAsync(database, messages);
        await DescribeAsync(database);
        Console.WriteLine();
        Console.WriteLine("| where | what | found | p50 ms | p95 ms | slowest ms | CPU of PostgreSQL, p50 ms | p95 ms |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        // One connection, so that it is known which process of PostgreSQL works.
        await using var alone = NpgsqlDataSource.Create(postgres.ConnectionString + ";Maximum Pool Size=1");
        var searches = await Searches.ConnectAsync(alone);
        foreach (var (place, room) in new (string, int?)[] { ("the largest room", 0), ("a middling room", 50), ("all of the user's rooms", null) })
        {
            foreach (var (kind, first, count) in Kinds)
            {
                await MeasureAsync(searches, place, kind, room, run => Corpus.Word(first + run * 7 % count), pages: 1);
            }

            await MeasureAsync(searches, place, "two common words", room, run => $"{Corpus.Word(run % 10)} {Corpus.Word(10 + run % 20)}", pages: 1);
            await MeasureAsync(searches, place, "common word, fifth page", room, run => Corpus.Word(run % 10), pages: 5);
        }

        return 0;
    }

    private static async Task MeasureAsync(Searches searches, string place, string kind, int? room, Func<int, string> words, int pages)
    {
        var (times, cpu, found) = (new List<double>(), new List<double>(), new List<double>());
        for (var run = -3; run < Runs; run++)
        {
            var before = SearchCursor.Start;
            for (var page = 1; page <= pages; page++)
            {
                var (watch, used) = (Stopwatch.StartNew(), searches.CpuMilliseconds);
                var (items, next) = await searches.FindAsync(words(Math.Abs(run)), room, before);
                if (run >= 0 && page == pages)
                {
                    times.Add(watch.Elapsed.TotalMilliseconds);
                    cpu.Add(searches.CpuMilliseconds - used);
                    found.Add(items);
                }
                if (next is not { } behind)
                {
                    break;
                }

                before = behind;
            }
        }
        Console.WriteLine(times.Count == 0
            ? $"| {place} | {kind} | no such page | | | | | |"
            : string.Create(CultureInfo.InvariantCulture,
                $"| {place} | {kind} | {Machine.Median(found):N0} | {Machine.Median(times):N1} | {Machine.Quantile(times, 0.95):N1} | {times.Max():N1} | "
                + $"{Machine.Median(cpu):N1} | {Machine.Quantile(cpu, 0.95):N1} |"));
    }

    private static async Task IndexAsync(NpgsqlDataSource database, int messages)
    {
        var index = new SearchIndex(database);
        var watch = Stopwatch.StartNew();
        for (var conversations = await index.ReadBehindAsync("", 100, CancellationToken.None); conversations.Count > 0;
            conversations = await index.ReadBehindAsync("", 100, CancellationToken.None))
        {
            for (IReadOnlyList<string> rest = conversations; rest.Count > 0;)
            {
                (_, rest) = await index.StepAsync(rest, CancellationToken.None);
            }
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Indexed {messages / watch.Elapsed.TotalSeconds:N0} messages a second."));
    }

    private static async Task DescribeAsync(NpgsqlDataSource database)
    {
        await using (var vacuum = database.CreateCommand("VACUUM ANALYZE"))
        {
            vacuum.CommandTimeout = 0;
            await vacuum.ExecuteNonQueryAsync();
        }
        await using var sizes = database.CreateCommand(
            "SELECT pg_total_relation_size('events') >> 20, pg_table_size('search') >> 20, pg_indexes_size('search') >> 20");
        await using var reader = await sizes.ExecuteReaderAsync();
        await reader.ReadAsync();
        Console.WriteLine($"events: {reader.GetInt64(0)} MiB with its indexes; search: {reader.GetInt64(1)} MiB and {reader.GetInt64(2)} MiB of indexes.");
    }

    /// <summary>Searches of the user.</summary>
    private sealed class Searches(NpgsqlDataSource database, int process)
    {
        private readonly SearchTable _table = new(database, Options.Create(new SearchOptions()));
        private readonly EventTable _events = new(database, Options.Create(new HistoryOptions()));

        /// <summary>
        /// What the process of PostgreSQL has computed so far. Unlike the time of a search, it says the same on a machine that others use too.
        /// </summary>
        public double CpuMilliseconds =>
            double.Parse(File.ReadAllText($"/proc/{process}/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1_000_000;

        public static async Task<Searches> ConnectAsync(NpgsqlDataSource database)
        {
            await using var command = database.CreateCommand("SELECT pg_backend_pid()");
            return new Searches(database, (int)(await command.ExecuteScalarAsync())!);
        }

        public async Task<(int Found, SearchCursor? Next)> FindAsync(string words, int? room, SearchCursor before)
        {
            ConversationKey? conversation = room is { } number ? ConversationKey.Room(Corpus.Room(number)) : null;
            var query = new SearchQuery(SearchWords.Of(words), User, conversation, From: null, Grants: null, before, PageRequest.DefaultPage);
            var matches = await _table.FindAsync(query, CancellationToken.None);
            var items = await _events.ReadMessagesAsync(
                [.. matches.Found.Select(found => (found.Conversation, found.Seq, long.MaxValue))], CancellationToken.None);
            return (items.Count, matches.Next);
        }
    }
}
