using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Access;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Search;

/// <param name="Words">All of them must be in the message.</param>
/// <param name="Conversation">Only this one; null: all that the caller may read.</param>
/// <param name="From">Only messages of this user; null: of any.</param>
/// <param name="Grants">What the caller's token says of rooms, as <see cref="Readable.Sql"/> takes it; null: nothing.</param>
/// <param name="Before">The page lies behind this place.</param>
internal sealed record SearchQuery(
    IReadOnlySet<string> Words, string Caller, ConversationKey? Conversation, string? From, string[]? Grants, SearchCursor Before, int Limit);

/// <param name="Found">Newest first.</param>
/// <param name="Next">Where the next page begins; null: there is none.</param>
internal sealed record SearchMatches(IReadOnlyList<(ConversationKey Conversation, long Seq)> Found, SearchCursor? Next);

/// <summary>
/// Finds messages by their words. The newest are looked through one by one, which finds what many messages say; then the index is asked, which
/// is quick where few say it. So neither a common nor a rare word makes PostgreSQL sort millions. Thread-safe; throws
/// <see cref="NpgsqlException"/> when PostgreSQL cannot be asked or does not answer in time.
/// </summary>
internal sealed class SearchTable(NpgsqlDataSource database, IOptions<SearchOptions> options)
{
    /// <summary>Messages of one conversation that may be behind the index and are looked through for each page.</summary>
    private const int MostUnindexed = 2_000;

    /// <summary>
    /// How many times as far a search over all conversations looks where the newest messages had a good part of a page: the index would have a
    /// hundred thousand matches of such words, most of them perhaps not for the caller.
    /// </summary>
    private const int Further = 10;

    // The statistics of a new table, or of a rare word, must not lead to reading all of it; and compiling takes longer than these take to run.
    private const string SettingsSql =
        "SELECT set_config('statement_timeout', $1, true), set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)";

    private static readonly string PlaceSql =
        $"SELECT {Readable.Sql("$1::text", "$2", "$3")}, COALESCE((SELECT seq FROM search_marks WHERE conversation = $1), 0)";

    private const string UnindexedSql = """
        SELECT seq, sender, content FROM events
        WHERE conversation = $1 AND seq > $2 AND seq < $3 AND kind IN (0, 1) AND deleted IS NULL ORDER BY seq DESC LIMIT $4
        """;

    private const string NewestOfOneSql = """
        SELECT s.seq FROM (
            SELECT seq, words FROM search WHERE conversation = $1 AND seq < $2 ORDER BY seq DESC LIMIT $5) s
        WHERE s.words @@ $3::tsquery ORDER BY s.seq DESC LIMIT $4
        """;

    // The query has the conversation as a word, so the first part needs no other condition, which might tempt to another index.
    private const string IndexOfOneSql = """
        WITH hits AS MATERIALIZED (SELECT seq FROM search WHERE words @@ $2::tsquery)
        SELECT seq FROM hits WHERE seq < $1 ORDER BY seq DESC LIMIT $3
        """;

    private static readonly string NewestOfAllSql = $"""
        SELECT s.created_at, s.conversation, s.seq FROM (
            SELECT created_at, conversation, seq, words FROM search WHERE (created_at, conversation, seq) < ($1, $2, $3)
            ORDER BY created_at DESC, conversation DESC, seq DESC LIMIT $8) s
        WHERE s.words @@ $4::tsquery AND {Readable.Sql("s.conversation", "$5", "$6")}
        ORDER BY s.created_at DESC, s.conversation DESC, s.seq DESC LIMIT $7
        """;

    // The rights are asked of one after the other, until there are enough; the last row is the place up to which they were.
    private static readonly string IndexOfAllSql = $"""
        WITH found AS MATERIALIZED (SELECT created_at, conversation, seq FROM search WHERE words @@ $4::tsquery),
        hits AS MATERIALIZED (
            SELECT * FROM found WHERE (created_at, conversation, seq) < ($1, $2, $3)
            ORDER BY created_at DESC, conversation DESC, seq DESC LIMIT $8)
        (SELECT created_at, conversation, seq, true FROM hits WHERE {Readable.Sql("hits.conversation", "$5", "$6")} LIMIT $7)
        UNION ALL
        (SELECT created_at, conversation, seq, false FROM hits OFFSET $8 - 1)
        """;

    public async Task<SearchMatches> FindAsync(SearchQuery query, CancellationToken cancellationToken)
    {
        if (query.Words.Count == 0)
        {
            return new SearchMatches([], null);
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var settings = new NpgsqlCommand(SettingsSql, connection))
        {
            settings.Parameters.Add(new() { Value = ((int)options.Value.Timeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) });
            await settings.ExecuteNonQueryAsync(cancellationToken);
        }

        return query.Conversation is { } conversation
            ? await FindInOneAsync(connection, query, conversation, cancellationToken)
            : await FindInAllAsync(connection, query, cancellationToken);
    }

    private async Task<SearchMatches> FindInOneAsync(
        NpgsqlConnection connection, SearchQuery query, ConversationKey conversation, CancellationToken cancellationToken)
    {
        var (readable, mark) = await ReadPlaceAsync(connection, query, conversation, cancellationToken);
        if (!readable)
        {
            return new SearchMatches([], null);
        }

        var wanted = query.Limit + 1;
        var (found, lowest) = await FindUnindexedAsync(connection, query, conversation, mark, wanted, cancellationToken);
        if (lowest is { } place && found.Count < wanted)
        {
            // The index is so far behind that not all could be looked through: the next page goes on there.
            return new SearchMatches(Keys(conversation, found), new SearchCursor(0, conversation.Value, place));
        }

        var before = Math.Min(query.Before.Seq, mark + 1);
        if (found.Count < wanted)
        {
            var text = TextOf(query, conversation: null);
            var newest = await ReadSeqsAsync(
                connection, NewestOfOneSql, cancellationToken, conversation.Value, before, text, (long)(wanted - found.Count), (long)options.Value.Newest);
            if (found.Count + newest.Count < wanted)
            {
                newest = await ReadSeqsAsync(
                    connection, IndexOfOneSql, cancellationToken, before, TextOf(query, conversation), (long)(wanted - found.Count));
            }

            found.AddRange(newest);
        }
        return found.Count <= query.Limit
            ? new SearchMatches(Keys(conversation, found), null)
            : new SearchMatches(
                Keys(conversation, found[..query.Limit]), new SearchCursor(0, conversation.Value, found[query.Limit - 1]));
    }

    private static async Task<(bool Readable, long Mark)> ReadPlaceAsync(
        NpgsqlConnection connection, SearchQuery query, ConversationKey conversation, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(PlaceSql, connection);
        command.Parameters.Add(new() { Value = conversation.Value });
        command.Parameters.Add(new() { Value = query.Caller });
        AddGrants(command, query);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetBoolean(0), reader.GetInt64(1));
    }

    /// <summary>What was committed and is not indexed yet: usually nothing, or what came within the last half second.</summary>
    /// <returns>The seqs found; and the lowest seq looked at, if there are more below it.</returns>
    private static async Task<(List<long> Found, long? Lowest)> FindUnindexedAsync(
        NpgsqlConnection connection, SearchQuery query, ConversationKey conversation, long mark, int wanted, CancellationToken cancellationToken)
    {
        var found = new List<long>();
        var (looked, lowest) = (0, 0L);
        await using var command = new NpgsqlCommand(UnindexedSql, connection);
        command.Parameters.Add(new() { Value = conversation.Value });
        command.Parameters.Add(new() { Value = mark });
        command.Parameters.Add(new() { Value = query.Before.Seq });
        command.Parameters.Add(new() { Value = (long)MostUnindexed });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (found.Count < wanted && await reader.ReadAsync(cancellationToken))
        {
            (looked, lowest) = (looked + 1, reader.GetInt64(0));
            if ((query.From is null || query.From == reader.GetString(1)) && query.Words.IsSubsetOf(SearchWords.Of(reader.GetString(2))))
            {
                found.Add(lowest);
            }
        }
        return (found, looked == MostUnindexed ? lowest : null);
    }

    private async Task<SearchMatches> FindInAllAsync(NpgsqlConnection connection, SearchQuery query, CancellationToken cancellationToken)
    {
        var wanted = query.Limit + 1;
        var (found, end) = await ReadPlacesAsync(connection, NewestOfAllSql, query, wanted, options.Value.Newest, cancellationToken);
        if (found.Count < wanted && found.Count >= wanted / Further)
        {
            (found, end) = await ReadPlacesAsync(connection, NewestOfAllSql, query, wanted, Further * options.Value.Newest, cancellationToken);
        }

        if (found.Count < wanted)
        {
            (found, end) = await ReadPlacesAsync(connection, IndexOfAllSql, query, wanted, options.Value.Matches, cancellationToken);
        }

        var page = found.Take(query.Limit).Select(place => (Key(place.Conversation), place.Seq)).ToList();
        return new SearchMatches(page, found.Count > query.Limit ? found[query.Limit - 1] : end);
    }

    private static async Task<(List<SearchCursor> Found, SearchCursor? End)> ReadPlacesAsync(
        NpgsqlConnection connection, string sql, SearchQuery query, int wanted, int most, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new() { Value = query.Before.Time });
        command.Parameters.Add(new() { Value = query.Before.Conversation });
        command.Parameters.Add(new() { Value = query.Before.Seq });
        command.Parameters.Add(new() { Value = TextOf(query, conversation: null) });
        command.Parameters.Add(new() { Value = query.Caller });
        AddGrants(command, query);
        command.Parameters.Add(new() { Value = (long)wanted });
        command.Parameters.Add(new() { Value = (long)most });
        var found = new List<SearchCursor>();
        SearchCursor? end = null;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var place = SearchCursor.Of(reader.GetDateTime(0), reader.GetString(1), reader.GetInt64(2));
            if (reader.FieldCount == 3 || reader.GetBoolean(3))
            {
                found.Add(place);
            }
            else
            {
                end = place;
            }
        }
        return (found, end);
    }

    private static async Task<List<long>> ReadSeqsAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        var seqs = new List<long>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            seqs.Add(reader.GetInt64(0));
        }

        return seqs;
    }

    private static void AddGrants(NpgsqlCommand command, SearchQuery query) => command.Parameters.Add(
        new() { Value = query.Grants ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });

    /// <summary>The query as a <c>tsquery</c>. Words and ids contain neither quotes nor backslashes.</summary>
    private static string TextOf(SearchQuery query, ConversationKey? conversation)
    {
        var words = query.Words.Select(word => $"'{word}'");
        if (query.From is not null)
        {
            words = words.Append($"'@{query.From}'");
        }

        return string.Join(" & ", conversation is { } one ? words.Append($"'={one.Value}'") : words);
    }

    private static List<(ConversationKey, long)> Keys(ConversationKey conversation, IEnumerable<long> seqs) =>
        [.. seqs.Select(seq => (conversation, seq))];

    private static ConversationKey Key(string text) =>
        ConversationKey.TryParse(text, out var key) ? key : throw new InvalidDataException($"'{text}' is no conversation.");
}
