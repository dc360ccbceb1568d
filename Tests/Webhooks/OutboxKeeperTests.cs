using AspireChat.PersistenceService.Webhooks;
using AspireChat.Tests.Persistence;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Hosting;
using static AspireChat.Tests.Webhooks.Webhook;

namespace AspireChat.Tests.Webhooks;

[Trait("Needs", "System")]
public sealed class OutboxKeeperTests
{
    private const string Row = "(webhook, partition, lane, position, seq, kind, at, queued_at)";

    private const string Batch = "(id, webhook, partition, lane, seqs, kinds, times, details, queued_at, next_at, dead_at)";

    [Fact]
    public async Task What_is_too_old_or_too_much_goes_dead_letters_and_the_oldest_first()
    {
        await using var server = await HookServer.StartAsync((_, _) => Task.FromResult(500));
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server, settings =>
        {
            settings["Webhooks:MostWaiting"] = "1000";
            settings["Webhooks:FirstPause"] = "00:10:00";
        });
        await world.OpenedAsync();
        // 1,200 wait, of 12 conversations; the first three are the oldest. A dead letter holds a hundred, another one is too old.
        await world.ExecuteAsync($"""
            INSERT INTO webhook_outbox {Row}
            SELECT 0, 99, 'r:room' || i / 100, i, i, 0, now(), now() - interval '1 hour' + i * interval '1 s' FROM generate_series(0, 1199) i;
            INSERT INTO webhook_batches {Batch}
            SELECT gen_random_uuid(), 0, 99, 'r:dead', array_agg(i), array_agg(0::smallint), array_agg(now()), array_agg(NULL::text), now(), now(), now()
            FROM generate_series(1, 100) i;
            INSERT INTO webhook_batches {Batch}
            VALUES (gen_random_uuid(), 0, 99, 'r:old', '{"{1}"}', '{"{0}"}', ARRAY[now()], ARRAY[NULL::text], now(), now(), now() - interval '31 days');
            INSERT INTO webhook_outbox {Row} VALUES (7, 99, 'r:orphan', 1, 1, 0, now(), now() - interval '25 hours');
            """);

        await service.Get<IEnumerable<IHostedService>>().OfType<OutboxKeeper>().Single().LookAsync(CancellationToken.None);

        Assert.Equal(1_000, await world.QueryAsync<long>("SELECT count(*) FROM webhook_outbox"));
        Assert.Equal(200, await world.QueryAsync<long>("SELECT min(seq) FROM webhook_outbox"));
        Assert.Equal(0, await world.QueryAsync<long>("SELECT count(*) FROM webhook_batches"));
        await Eventually.IsTrueAsync(() => service.Total("aspirechat.webhooks.dropped") >= 301, "what was dropped is counted");
        Assert.Equal(301, service.Total("aspirechat.webhooks.dropped"));
    }
}
