using AspireChat.Chaos.Ledgers;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.Tests.Log;
using StackExchange.Redis;

namespace AspireChat.Tests.Chaos;

/// <summary>
/// The scripts on a real Redis, as they are and with a bug written into them. Sends are repeated after lost answers, and the writer dies
/// between reading and committing. The check that judges the chaos runs must find the bugs, and nothing in the scripts as they are.
/// </summary>
[Trait("Needs", "Redis")]
public sealed class MutatedScriptTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    private const int Sends = 120;
    private const string Dedup = "local refused = acks[nonce]";
    private const string Unacknowledged = "local first = pending[1] > 0 and pending[2]";

    [Fact]
    public async Task The_scripts_as_they_are_give_no_finding()
    {
        var findings = await PlayAsync(RedisScripts.Append, RedisScripts.Acknowledge);

        Assert.False(findings.Any, string.Join('\n', findings.Texts));
    }

    [Fact]
    public async Task A_script_that_does_not_look_up_nonces_is_caught()
    {
        var findings = await PlayAsync(Mutate(RedisScripts.Append, Dedup, "local refused = nil"), RedisScripts.Acknowledge);

        Assert.NotEqual(0, findings[Breach.Duplicated]);
    }

    [Fact]
    public async Task A_script_that_trims_events_that_were_read_but_not_committed_is_caught()
    {
        var findings = await PlayAsync(RedisScripts.Append, Mutate(RedisScripts.Acknowledge, Unacknowledged, "local first = nil"));

        Assert.NotEqual(0, findings[Breach.Lost]);
    }

    private static string Mutate(string script, string right, string wrong)
    {
        Assert.Contains(right, script, StringComparison.Ordinal);
        return script.Replace(right, wrong, StringComparison.Ordinal);
    }

    private async Task<Findings> PlayAsync(string append, string acknowledge)
    {
        var room = ConversationKey.Room($"mutated-{Guid.NewGuid():N}");
        var (ledger, random, writer) = (new Ledger(), new Random(17), new Writer(fixture.Database, room, acknowledge));
        await writer.BeginAsync();
        for (var i = 0; i < Sends; i++)
        {
            var user = $"user{i % 3}";
            // After a lost answer the client sends again. For the server it is a new event with the same nonce.
            var answer = await AppendAsync(append, LogFixture.Message(room, user, $"n{i}"));
            if (random.Next(4) == 0)
            {
                answer = await AppendAsync(append, LogFixture.Message(room, user, $"n{i}"));
            }

            ledger.Acknowledge(new Acknowledged(room.Value, answer.Epoch, answer.Seq, answer.Id, user, $"n{i}", 0, i));
            if (random.Next(5) == 0)
            {
                await writer.StepAsync(dies: random.Next(3) == 0);
            }
        }

        var view = ledger.View("reader", room.Value);
        view.Begin(LogFixture.Epoch, 0);
        foreach (var entry in await fixture.Database.StreamRangeAsync(RedisKeys.Tail(room)))
        {
            var seq = long.Parse(((string)entry.Id!).Split('-')[0], System.Globalization.CultureInfo.InvariantCulture);
            var e = (ConversationEvent)LogRecordCodec.Decode((byte[])entry[TailFields.Record]!, seq, LogFixture.Epoch)!;
            view.Deliver(LogFixture.Epoch, seq, e.Id, e.Nonce);
        }
        while (await writer.StepAsync(dies: false))
        {
            // Until every event is written.
        }
        var database = new Dictionary<string, IReadOnlyList<Stored>> { [room.Value] = [.. writer.Database.OrderBy(e => e.Seq)] };
        new LedgerCheck(ledger, database).Run();
        return ledger.Findings;
    }

    private async Task<AppendResult> AppendAsync(string script, ConversationEvent e)
    {
        var batch = new AppendBatch(e.Conversation.Partition, new ConversationLogOptions());
        batch.Add(new AppendRequest(e, false, new Nobody()));
        var (keys, arguments) = batch.ToCall(e.Timestamp);
        return batch.ReadReply(await fixture.Database.ScriptEvaluateAsync(script, keys, arguments))![0];
    }

    private sealed class Nobody : IAppendCompletion
    {
        public void Completed(ConversationEvent appended, AppendResult result)
        {
        }
    }

    /// <summary>A small model of what PersistenceService does with the log of one conversation. It stores each nonce once.</summary>
    private sealed class Writer(IDatabase redis, ConversationKey room, string acknowledge)
    {
        private readonly List<Stored> _database = [];
        private int _lives;

        public IReadOnlyList<Stored> Database => _database;

        private string Log => RedisKeys.Log(room.Partition);

        public async Task BeginAsync()
        {
            await redis.KeyDeleteAsync(Log);
            await redis.StreamCreateConsumerGroupAsync(Log, RedisKeys.PersistGroup, "0-0");
        }

        /// <summary>Takes over entries that a dead writer left, or reads new ones. False when there were none.</summary>
        public async Task<bool> StepAsync(bool dies)
        {
            var consumer = $"writer-{_lives}";
            var entries = (await redis.StreamAutoClaimAsync(Log, RedisKeys.PersistGroup, consumer, 0, "0-0", 4)).ClaimedEntries;
            // New entries are read before pending ones are done, as with several consumers of a group.
            StreamEntry[] fresh = await redis.StreamReadGroupAsync(Log, RedisKeys.PersistGroup, consumer, ">", 8);
            if (dies)
            {
                _lives++;
                return true;
            }
            var mine = entries.Length > 0 ? entries : fresh;
            var records = new List<LogEntry>();
            foreach (var entry in mine)
            {
                LogEntry.Read(entry, records);
            }

            foreach (var e in records.Select(record => record.Record).OfType<ConversationEvent>())
            {
                if (!_database.Any(known => (known.Sender, known.Nonce) == (e.From, e.Nonce)))
                {
                    _database.Add(new Stored(LogFixture.Epoch, e.Seq, e.Id, e.From, e.Nonce, 0));
                }
            }
            await redis.ScriptEvaluateAsync(
                acknowledge, [Log, RedisKeys.Committed(room.Partition)], [RedisKeys.PersistGroup, "", .. mine.Select(entry => entry.Id)]);
            return entries.Length + fresh.Length > 0;
        }
    }
}
