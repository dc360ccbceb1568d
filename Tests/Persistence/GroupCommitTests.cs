using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Persistence;

/// <summary>Batches of several partitions in one transaction.</summary>
public sealed class GroupCommitTests
{
    private static readonly ConversationKey[] Rooms = [.. Enumerable.Range(0, 200).Select(i => ConversationKey.Room($"group-{i}"))
        .DistinctBy(room => room.Partition).Take(6)];

    [Fact]
    public async Task Batches_that_come_together_share_transactions()
    {
        await using var fixture = await WriterFixture.CreateAsync();
        var commit = Create(fixture);
        await Task.WhenAll(Rooms.Select(room => commit.WriteAsync(Batch(room, 1, 2, 3), CancellationToken.None)));

        var transactions = await fixture.RowsAsync("SELECT DISTINCT xmin::text FROM events", row => row.GetString(0));
        Assert.InRange(transactions.Count, 1, Rooms.Length - 1);
        Assert.Equal(3 * Rooms.Length, await CountAsync(fixture));
    }

    [Fact]
    public async Task Each_partition_gets_its_own_place_in_the_log()
    {
        await using var fixture = await WriterFixture.CreateAsync();
        await using (var open = fixture.Source.CreateCommand(
            "INSERT INTO partitions SELECT p, 'epoch1', 0, now() FROM generate_series(0, 15) AS p"))
        {
            await open.ExecuteNonQueryAsync();
        }

        var commit = Create(fixture);
        await Task.WhenAll(Rooms.Select((room, i) => commit.WriteAsync(Batch(room, 1, 2 + i), CancellationToken.None)));

        var places = (await fixture.RowsAsync("SELECT partition, committed FROM partitions", row => (row.GetInt16(0), row.GetInt64(1))))
            .ToDictionary();
        for (var i = 0; i < Rooms.Length; i++)
        {
            Assert.Equal(LogPosition.Parse($"1-{2 + i}").Packed, places[(short)Rooms[i].Partition]);
        }
    }

    [Fact]
    public async Task A_batch_that_is_refused_fails_alone()
    {
        await using var fixture = await WriterFixture.CreateAsync();
        var commit = Create(fixture);
        // PostgreSQL has no NUL in text.
        var bad = new PartitionBatch(
            Rooms[0].Partition, [LogEntries.Of(LogEntries.Message(Rooms[0], 1, content: "a\0b"))], LogPosition.Parse("1-1"));
        var refused = commit.WriteAsync(bad, CancellationToken.None);
        var others = Rooms.Skip(1).Select(room => commit.WriteAsync(Batch(room, 1), CancellationToken.None)).ToList();

        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => refused);
        await Task.WhenAll(others);
        Assert.Equal(Rooms.Length - 1, await CountAsync(fixture));
    }

    [Fact]
    public async Task A_conflict_is_told_to_the_partition_that_has_it()
    {
        await using var fixture = await WriterFixture.CreateAsync();
        var commit = Create(fixture);
        await commit.WriteAsync(Batch(Rooms[0], 1), CancellationToken.None);
        var answers = await Task.WhenAll(Rooms.Select(room => commit.WriteAsync(Batch(room, 1), CancellationToken.None)));

        Assert.Equal(1, Assert.Single(answers[0]).Entry.Seq);
        Assert.All(answers.Skip(1), Assert.Empty);
    }

    [Fact]
    public async Task Whoever_gives_up_leaves_the_others_waiting_for_theirs()
    {
        await using var fixture = await WriterFixture.CreateAsync();
        var commit = Create(fixture);
        var others = Rooms.Skip(1).Select(room => commit.WriteAsync(Batch(room, 1), CancellationToken.None)).ToList();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => commit.WriteAsync(Batch(Rooms[0], 1), new CancellationToken(canceled: true)));

        await Task.WhenAll(others);
        Assert.InRange(await CountAsync(fixture), Rooms.Length - 1, Rooms.Length);
    }

    private static GroupCommit Create(WriterFixture fixture) => new(fixture.Writer, Options.Create(new PersistenceOptions()));

    private static PartitionBatch Batch(ConversationKey room, params long[] seqs)
    {
        var entries = seqs.Select(seq => LogEntries.Of(LogEntries.Message(room, seq))).ToList();
        return new PartitionBatch(room.Partition, entries, entries[^1].Position);
    }

    private static async Task<long> CountAsync(WriterFixture fixture) =>
        (await fixture.RowsAsync("SELECT count(*) FROM events", row => row.GetInt64(0)))[0];
}
