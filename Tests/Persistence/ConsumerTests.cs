using System.Net;
using System.Text.Json;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService;
using AspireChat.PersistenceService.Consuming;
using AspireChat.PersistenceService.Partitions;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.Tests.Persistence;

[Trait("Needs", "System")]
public sealed class ConsumerTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    private static readonly IOptions<PersistenceOptions> Defaults = Options.Create(new PersistenceOptions());

    private static int Partition => Lobby.Partition;

    [Fact]
    public async Task What_was_committed_but_not_acknowledged_is_taken_over_and_stored_once()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await StartAndStopAsync(world);
        await AppendAsync(world, 20);

        // A consumer that commits the first ten and dies before the acknowledgement, having read the other ten as well.
        var dead = new PartitionLog(world.Redis, new ReplicaName("dead"), Defaults);
        var entries = await dead.ReadNewAsync(Partition, 100);
        Assert.Equal(20, entries.Count);
        await new BatchWriter(world.Source, TimeProvider.System).WriteAsync([new PartitionBatch(Partition, entries[..10], entries[9].Position)],
            CancellationToken.None);

        var service = await world.StartServiceAsync();
        await world.DurableAsync(Lobby, 20);
        await LogIsEmptyAsync(world);
        Assert.Equal(20, await world.QueryAsync<long>("SELECT count(*) FROM events"));
        Assert.Equal(0, service.Total("aspirechat.persistence.conflicts"));
        Assert.Equal(0, service.Total("aspirechat.persistence.fences"));
        Assert.Equal(20, service.Total("aspirechat.persistence.claimed"));
    }

    [Fact]
    public async Task A_record_that_PostgreSQL_refuses_is_put_aside_and_nothing_else_waits_for_it()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await StartAndStopAsync(world);
        await AppendAsync(world, 30, i => i == 11 ? "bad \0 text" : $"text {i}");
        var service = await world.StartServiceAsync();

        await LogIsEmptyAsync(world);
        Assert.Equal(29, await world.QueryAsync<long>("SELECT count(*) FROM events"));
        Assert.Equal(1, service.Total("aspirechat.persistence.dead_letters"));
        var letters = await ListAsync(service);
        var letter = Assert.Single(letters);
        Assert.Equal(11, letter.GetProperty("seq").GetInt64());
        Assert.Equal("r:lobby", letter.GetProperty("conversation").GetString());
        Assert.StartsWith("22021", letter.GetProperty("why").GetString(), StringComparison.Ordinal);

        // It is not committed, so the durable mark stays below, and history still has it.
        Assert.Equal(10, (long)await world.Database.HashGetAsync(RedisKeys.Conversation(Lobby), ConversationFields.Durable));
        var page = await service.GetJsonAsync("/api/rooms/lobby/messages?limit=200");
        Assert.Equal(Enumerable.Range(1, 30).Reverse().Select(i => (long)i),
            page.GetProperty("items").EnumerateArray().Select(e => e.GetProperty("seq").GetInt64()));

        // More of the conversation goes on.
        await AppendAsync(world, 5, firstNonce: 100);
        await Eventually.IsTrueAsync(async () => await world.QueryAsync<long>("SELECT count(*) FROM events") == 34, "the rest is stored");
    }

    [Fact]
    public async Task Of_events_that_stand_together_in_the_log_only_those_that_PostgreSQL_refuses_are_put_aside()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await StartAndStopAsync(world);
        await using (var log = await world.StartLogAsync())
        {
            // Sent at once: one call carries many of them.
            var answers = await Task.WhenAll(Enumerable.Range(1, 60).Select(i =>
                log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}", i is 20 or 21 or 50 ? "bad \0 text" : "fine"))));
            Assert.All(answers, answer => Assert.Equal(AppendStatus.Accepted, answer.Status));
        }
        Assert.InRange(await world.Database.StreamLengthAsync(RedisKeys.Log(Partition)), 1, 20);
        var service = await world.StartServiceAsync();

        await LogIsEmptyAsync(world);
        Assert.Equal(57, await world.QueryAsync<long>("SELECT count(*) FROM events"));
        Assert.Equal([20L, 21, 50], (await ListAsync(service)).Select(letter => letter.GetProperty("seq").GetInt64()));
        Assert.Equal(19, (long)await world.Database.HashGetAsync(RedisKeys.Conversation(Lobby), ConversationFields.Durable));
    }

    [Fact]
    public async Task A_dead_letter_can_be_replayed_once_its_cause_is_gone_and_then_the_durable_mark_goes_on()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await StartAndStopAsync(world);
        // The cause: a rule that this deployment's database has for some reason.
        await world.ExecuteAsync("ALTER TABLE events ADD CONSTRAINT no_thirteen CHECK (content <> 'text 13')");
        await AppendAsync(world, 20);
        var service = await world.StartServiceAsync();
        await LogIsEmptyAsync(world);
        Assert.Equal(12, (long)await world.Database.HashGetAsync(RedisKeys.Conversation(Lobby), ConversationFields.Durable));

        Assert.Equal((0, 1), await ReplayAsync(service));
        Assert.Single(await ListAsync(service));

        await world.ExecuteAsync("ALTER TABLE events DROP CONSTRAINT no_thirteen");
        Assert.Equal((1, 0), await ReplayAsync(service));
        Assert.Empty(await ListAsync(service));
        Assert.Equal(20, (long)await world.Database.HashGetAsync(RedisKeys.Conversation(Lobby), ConversationFields.Durable));
        Assert.Equal(20, await world.QueryAsync<long>("SELECT count(*) FROM events"));
        // A replayed entry is an old place in the log: it must not look like a restored Redis.
        Assert.Equal(0, service.Total("aspirechat.persistence.fences"));
    }

    [Fact]
    public async Task A_discarded_dead_letter_lets_the_durable_mark_go_on()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await StartAndStopAsync(world);
        await AppendAsync(world, 3, i => i == 2 ? "bad \0 text" : "fine");
        var service = await world.StartServiceAsync();
        await LogIsEmptyAsync(world);
        var id = (await ListAsync(service))[0].GetProperty("id").GetString();
        using var unknown = await service.SendInternalAsync(HttpMethod.Post, "/internal/dead-letters/discard?id=1-1");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        using var answer = await service.SendInternalAsync(HttpMethod.Post, $"/internal/dead-letters/discard?id={id}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(3, (long)await world.Database.HashGetAsync(RedisKeys.Conversation(Lobby), ConversationFields.Durable));
    }

    [Fact]
    public async Task Dead_letters_are_not_for_users()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        using var answer = await service.GetAsync("/internal/dead-letters");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task An_event_at_a_committed_seq_is_an_alarm_and_a_dead_letter()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await StartAndStopAsync(world);
        await AppendAsync(world, 3);
        // Somebody else's event has the seq already.
        await world.ExecuteAsync(
            """
            INSERT INTO events (conversation, seq, created_at, id, kind, removes, sender, nonce, epoch, content)
            VALUES ('r:lobby', 2, now(), gen_random_uuid(), 0, false, 'eve', 'x', 'old', 'was here before')
            """);
        var service = await world.StartServiceAsync();
        await LogIsEmptyAsync(world);
        Assert.Equal(1, service.Total("aspirechat.persistence.conflicts"));
        Assert.Contains("conflict", Assert.Single(await ListAsync(service)).GetProperty("why").GetString(), StringComparison.Ordinal);
        Assert.Equal("was here before", await world.QueryAsync<string>("SELECT content FROM events WHERE seq = 2"));
        Assert.Equal(3, await world.QueryAsync<long>("SELECT count(*) FROM events"));
    }

    [Fact]
    public async Task The_log_is_never_trimmed_beyond_what_is_committed()
    {
        await using var world = await PersistenceWorld.CreateAsync(ownPostgres: true);
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await AppendAsync(world, 10);
        await world.DurableAsync(Lobby, 10);
        await world.Postgres.CrashAsync();
        await AppendAsync(world, 50, firstNonce: 100);
        // The consumer has read them and cannot commit.
        await Eventually.IsTrueAsync(async () => service.Total("aspirechat.persistence.retries") > 1, "the writer has tried");
        Assert.Equal(50, await world.Database.StreamLengthAsync(RedisKeys.Log(Partition)));
        Assert.Equal(10, (long)await world.Database.HashGetAsync(RedisKeys.Conversation(Lobby), ConversationFields.Durable));

        await world.Postgres.StartAgainAsync();
        await world.DurableAsync(Lobby, 60);
        await LogIsEmptyAsync(world);
        Assert.Equal(60, await world.QueryAsync<long>("SELECT count(*) FROM events"));
    }

    [Fact]
    public async Task A_full_Redis_refuses_and_is_emptied_into_PostgreSQL()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        var accepted = 0;
        await using (await world.HoldCommitsAsync())
        {
            await world.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "6mb");
            var text = new string('x', 8_000);
            while (await FitsAsync(text))
            {
                accepted++;
            }

            Assert.InRange(accepted, 10, 10_000);
            // The replica goes on renewing its leases, although they would have run out by then.
            var alive = await world.Database.SortedSetScoreAsync(RedisKeys.Persisters, service.Name);
            await Eventually.IsTrueAsync(
                async () => await world.Database.SortedSetScoreAsync(RedisKeys.Persisters, service.Name) > alive + 2_000,
                "the replica is alive");
        }
        await world.DurableAsync(Lobby, accepted);
        await LogIsEmptyAsync(world);
        Assert.Equal(accepted, await world.QueryAsync<long>("SELECT count(*) FROM events"));
        Assert.Equal(16, service.Get<PartitionOwnership>().Owned.Count());

        async Task<bool> FitsAsync(string text)
        {
            var answer = await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{accepted + 1}", text));
            return answer.Status == AppendStatus.Accepted;
        }
    }

    [Fact]
    public async Task Entries_pending_with_another_consumer_are_not_trimmed()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await StartAndStopAsync(world);
        await AppendAsync(world, 4);
        var stalled = await new PartitionLog(world.Redis, new ReplicaName("stalled"), Defaults).ReadNewAsync(Partition, 2);
        var log = new PartitionLog(world.Redis, new ReplicaName("me"), Defaults);
        var mine = await log.ReadNewAsync(Partition, 10);
        Assert.Equal(2, mine.Count);
        await new BatchWriter(world.Source, TimeProvider.System).WriteAsync([new PartitionBatch(Partition, mine, mine[^1].Position)], CancellationToken.None);
        Assert.Equal(4, await log.CompleteAsync(Partition, mine, new PersistOutcome(mine[^1].Position, [])));
        await new BatchWriter(world.Source, TimeProvider.System).WriteAsync([new PartitionBatch(Partition, stalled, stalled[^1].Position)],
            CancellationToken.None);
        Assert.Equal(0, await log.CompleteAsync(Partition, stalled, new PersistOutcome(stalled[^1].Position, [])));
    }

    [Fact]
    public async Task Members_are_told_once_per_batch_how_far_a_conversation_is_durable()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var marks = new List<long>();
        await world.Redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisChannels.Room("lobby")), (_, payload) =>
        {
            if (PubSubMessage.TryRead((byte[])payload!, out var message)
                && message is PubSubMessage.Durable { Conversation: "r:lobby" } durable)
            {
                Assert.Equal(durable.Encode(), (byte[])payload!);
                lock (marks)
                {
                    marks.Add(durable.Seq);
                }
            }
        });
        await using (await world.HoldCommitsAsync())
        {
            await AppendAsync(world, 40);
        }

        await Eventually.IsTrueAsync(
            () =>
            {
                lock (marks)
                {
                    return marks.Count > 0 && marks[^1] == 40;
                }
            },
            "the last event is told durable");
        // One batch was in hand when commits were held, what came meanwhile went into a few more.
        lock (marks)
        {
            Assert.InRange(marks.Count, 1, 10);
            Assert.Equal(marks.Order(), marks);
        }
    }

    [Fact]
    public async Task Replicas_share_the_partitions_and_take_over_from_one_that_stops()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var first = await world.StartServiceAsync();
        await world.OpenedAsync();
        var second = await world.StartServiceAsync();
        await Eventually.IsTrueAsync(
            () => first.Get<PartitionOwnership>().Owned.Count() == 8 && second.Get<PartitionOwnership>().Owned.Count() == 8, "eight each");
        await first.DisposeAsync();
        await Eventually.IsTrueAsync(() => second.Get<PartitionOwnership>().Owned.Count() == 16, "one has all");
        await AppendAsync(world, 5);
        await world.DurableAsync(Lobby, 5);
    }

    [Fact]
    public async Task A_replica_that_stops_finishes_its_batch()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var stopping = await world.StartServiceAsync();
        await world.OpenedAsync();
        await AppendAsync(world, 50);

        await stopping.DisposeAsync();

        var pending = await world.Database.StreamPendingAsync(RedisKeys.Log(Partition), RedisKeys.PersistGroup);
        Assert.Equal(0, pending.PendingMessageCount);
        await using var next = await world.StartServiceAsync();
        await world.DurableAsync(Lobby, 50);
    }

    private static async Task StartAndStopAsync(PersistenceWorld world)
    {
        await using (await world.StartServiceAsync())
        {
            await world.OpenedAsync();
        }
    }

    private static async Task AppendAsync(PersistenceWorld world, int count, Func<int, string>? content = null, int firstNonce = 1)
    {
        await using var log = await world.StartLogAsync();
        for (var i = 0; i < count; i++)
        {
            var text = content?.Invoke(i + 1) ?? $"text {i + 1}";
            var answer = await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{firstNonce + i}", text));
            Assert.Equal(AppendStatus.Accepted, answer.Status);
        }
    }

    private static Task LogIsEmptyAsync(PersistenceWorld world) =>
        Eventually.IsTrueAsync(async () => await world.Database.StreamLengthAsync(RedisKeys.Log(Partition)) == 0, "the log is empty");

    private static async Task<List<JsonElement>> ListAsync(RunningService service)
    {
        using var answer = await service.SendInternalAsync(HttpMethod.Get, "/internal/dead-letters");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return [.. JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("items").EnumerateArray()];
    }

    private static async Task<(int Stored, int Refused)> ReplayAsync(RunningService service)
    {
        using var answer = await service.SendInternalAsync(HttpMethod.Post, "/internal/dead-letters/replay");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        return (json.GetProperty("stored").GetInt32(), json.GetProperty("refused").GetInt32());
    }
}
