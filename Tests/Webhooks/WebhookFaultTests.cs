using System.Net;
using AspireChat.Client;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService;
using AspireChat.PersistenceService.Consuming;
using AspireChat.PersistenceService.Partitions;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.Persistence;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using static AspireChat.Tests.Webhooks.Webhook;

namespace AspireChat.Tests.Webhooks;

[Trait("Needs", "System")]
public sealed class WebhookFaultTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ConversationKey Garden = ConversationKey.Room("garden");

    [Fact]
    public async Task A_conversation_that_fails_or_hangs_holds_up_no_other_and_keeps_its_order()
    {
        using var heal = new CancellationTokenSource();
        await using var server = await HookServer.StartAsync(async (call, context) =>
        {
            if (call.Room == "lobby" && !heal.IsCancellationRequested)
            {
                return 503;
            }

            if (call.Room == "cellar" && !heal.IsCancellationRequested)
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(heal.Token, context.RequestAborted);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            return 200;
        });
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server, settings => settings["Webhooks:Timeout"] = "00:00:00.3");
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();

        for (var i = 1; i <= 20; i++)
        {
            await SendAsync(log, Lobby, 1, first: i);
            await SendAsync(log, ConversationKey.Room("cellar"), 1, first: i);
            await SendAsync(log, Garden, 1, first: i);
        }
        await Eventually.IsTrueAsync(() => Of("garden").Count == 20, "the healthy conversation is told");
        Assert.Empty(Of("lobby"));

        await heal.CancelAsync();
        await Eventually.IsTrueAsync(() => Of("lobby").Count == 20, "the failed conversation is told");
        await Eventually.IsTrueAsync(() => Of("cellar").Distinct().Count() == 20, "the hanging conversation is told");
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), Of("garden"));
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), Of("lobby"));

        List<long> Of(string room) => [.. server.Taken.Where(call => call.Room == room).SelectMany(call => call.Events).Select(Seq)];
    }

    [Fact]
    public async Task What_is_given_up_is_a_dead_letter_that_a_backend_lists_and_sends_again_under_its_id_with_the_client()
    {
        var heals = false;
        await using var server = await HookServer.StartAsync((_, _) => Task.FromResult(Volatile.Read(ref heals) ? 200 : 400));
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server, settings => settings["Webhooks:RetryFor"] = "00:00:01");
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();

        using var http = new HttpClient();
        var webhooks = new ChatServerClient(http, new ChatServerClientOptions
        {
            Gateway = new Uri(service.Address),
            TokenProvider = _ => ValueTask.FromResult(TestTokens.For("operator", scope: "chat:admin")),
        }).Webhooks;

        await SendAsync(log, Lobby, 3);
        await Eventually.IsTrueAsync(async () => (await webhooks.AllDeadLettersAsync().ToListAsync()).Sum(one => one.Events) == 3, "all is given up");
        var letters = await webhooks.AllDeadLettersAsync().ToListAsync();
        Assert.All(letters, one => Assert.Equal(("lobby", 0, "status 400"), (one.Room, one.Webhook, one.Error)));
        Assert.All(letters, one => Assert.Equal(["message.created"], one.Types.Distinct()));
        Assert.Equal((1, 3), (letters.Min(one => one.First), letters.Max(one => one.Last)));
        var refusal = await Assert.ThrowsAsync<ChatException>(() => webhooks.ReplayAsync("msg_" + Guid.NewGuid().ToString("N")));
        Assert.Equal(ChatErrorCodes.NotFound, refusal.Code);
        using var stranger = await service.GetAsync("/api/admin/webhooks/dead-letters");
        Assert.Equal(HttpStatusCode.Forbidden, stranger.StatusCode);

        Volatile.Write(ref heals, true);
        foreach (var letter in letters)
        {
            await webhooks.ReplayAsync(letter.Id);
        }

        await Eventually.IsTrueAsync(() => server.Events.Count == 3, "the dead letters are told");
        Assert.All(letters, letter => Assert.Contains(server.Calls, call => call.Status == 400 && call.Id == letter.Id));
        Assert.All(letters, letter => Assert.Contains(server.Taken, call => call.Id == letter.Id));
        Assert.Empty((await webhooks.DeadLettersAsync()).Items);
        await NothingIsLeftAsync(world);

        // A new event finds its way as before.
        await SendAsync(log, Lobby, 1, first: 4);
        await Eventually.IsTrueAsync(() => server.Events.Count == 4, "the next event is told");
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/hook")]
    [InlineData("http://localhost:{0}/hook")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/hook")]
    public async Task A_private_address_is_not_called(string url)
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server, settings =>
        {
            settings["Webhooks:AllowPrivate"] = "false";
            settings["Webhooks:RetryFor"] = "00:00:01";
            settings["Webhooks:0:Url"] = string.Format(url, server.Port);
        });
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();

        await SendAsync(log, Lobby, 1);
        await Eventually.IsTrueAsync(async () => (await ListAsync(service)).Count == 1, "the call is given up");
        Assert.Equal("the address is private, loopback or link-local", (string?)(await ListAsync(service))[0]!["error"]);
        Assert.Empty(server.Calls);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var target = await HookServer.StartAsync();
        await using var server = await HookServer.StartAsync((_, context) =>
        {
            context.Response.Headers.Location = target.Url;
            return Task.FromResult(StatusCodes.Status307TemporaryRedirect);
        });
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server);
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();

        await SendAsync(log, Lobby, 1);
        await Eventually.IsTrueAsync(() => server.Calls.Count >= 2, "the call is repeated at the same address");
        Assert.Empty(target.Calls);
    }

    [Fact]
    public async Task What_a_replica_committed_before_it_was_killed_is_told_by_the_next_one_and_what_it_told_is_not_repeated()
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        await using (await StartAsync(world, server))
        {
            await world.OpenedAsync();
        }

        await using var log = await world.StartLogAsync();
        await log.Log.JoinAsync("lobby", "alice", CancellationToken.None);
        await SendAsync(log, Lobby, 20);
        // Commits the first ten and dies before it acknowledges them to the log, or tells anybody.
        var dead = new PartitionLog(world.Redis, new ReplicaName("dead"), Options.Create(new PersistenceOptions()));
        var entries = await dead.ReadNewAsync(Lobby.Partition, 100);
        await WriteAsync(world, server, entries[..10]);

        await using (await StartAsync(world, server))
        {
            await world.DurableAsync(Lobby, 20);
            await Eventually.IsTrueAsync(() => server.Events.Count == 22, "all are told");
        }

        // The log delivers everything once more, as after a crash between the call and the acknowledgement.
        await WriteAsync(world, server, entries);
        Assert.Equal(0, await world.QueryAsync<long>("SELECT count(*) FROM webhook_outbox"));
        Assert.Equal(["room.changed", "member.changed"], server.Events.Take(2).Select(e => (string?)e["type"]));
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), server.Events.Skip(2).Select(Seq));
    }

    [Fact]
    public async Task A_conversation_with_much_to_tell_is_told_call_after_call()
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        await using (await StartAsync(world, server))
        {
            await world.OpenedAsync();
        }

        await using var log = await world.StartLogAsync();
        await SendAsync(log, Lobby, 1_000);
        var dead = new PartitionLog(world.Redis, new ReplicaName("dead"), Options.Create(new PersistenceOptions()));
        await WriteAsync(world, server, await dead.ReadNewAsync(Lobby.Partition, 1_000));

        // Ten calls: were each found by the look of every ten seconds only, it would take a minute and a half.
        await using var service = await StartAsync(world, server);
        await Eventually.IsTrueAsync(() => server.Events.Count == 1_000, "all are told");
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => (long)i), server.Events.Select(Seq));
    }

    [Fact]
    public async Task A_call_that_a_replica_began_is_repeated_by_the_next_one_with_the_same_id_and_events()
    {
        var isHung = true;
        await using var server = await HookServer.StartAsync(async (_, context) =>
        {
            if (Volatile.Read(ref isHung))
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            return Volatile.Read(ref isHung) ? 0 : 200;
        });
        await using var world = await PersistenceWorld.CreateAsync();
        await using (await StartAsync(world, server))
        {
            await world.OpenedAsync();
            await using var log = await world.StartLogAsync();
            await SendAsync(log, Lobby, 1);
            await Eventually.IsTrueAsync(() => server.Calls.Count == 1, "the call is under way");
            await SendAsync(log, Lobby, 5, first: 2);
            await world.DurableAsync(Lobby, 6);
        }

        Volatile.Write(ref isHung, false);
        await using var next = await StartAsync(world, server);
        await Eventually.IsTrueAsync(() => server.Events.Count == 6, "all are told");
        Assert.Equal((server.Calls[0].Id, server.Calls[0].Body), (server.Taken.First().Id, server.Taken.First().Body));
        Assert.Equal(Enumerable.Range(1, 6).Select(i => (long)i), server.Events.Select(Seq));
    }

    [Fact]
    public async Task An_event_waits_for_those_of_lower_seq_that_are_not_committed_yet()
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        await using (await StartAsync(world, server))
        {
            await world.OpenedAsync();
        }

        await using var log = await world.StartLogAsync();
        await SendAsync(log, Lobby, 3);
        var stalled = new PartitionLog(world.Redis, new ReplicaName("stalled"), Options.Create(new PersistenceOptions()));
        var entries = await stalled.ReadNewAsync(Lobby.Partition, 100);
        await WriteAsync(world, server, [entries[0], entries[2]]);
        await using var service = await StartAsync(world, server, settings => settings["Persistence:Lease"] = "00:00:05");

        await Eventually.IsTrueAsync(() => server.Events.Count == 3, "all are told");
        Assert.Equal([1L, 2, 3], server.Events.Select(Seq));
    }

    [Fact]
    public async Task Replicas_share_the_conversations_and_none_is_missed_or_out_of_order_when_one_goes()
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        await using var stays = await StartAsync(world, server);
        await using var goes = await StartAsync(world, server);
        await world.OpenedAsync();
        await Eventually.IsTrueAsync(
            () => stays.Get<PartitionOwnership>().Owned.Count() == 8 && goes.Get<PartitionOwnership>().Owned.Count() == 8, "both own partitions");
        await using var log = await world.StartLogAsync();
        ConversationKey[] rooms = [.. Enumerable.Range(0, 40).Select(i => ConversationKey.Room($"shared{i}"))];
        for (var round = 0; round < 10; round++)
        {
            await Task.WhenAll(rooms.Select(room => SendAsync(log, room, 5, first: 1 + 5 * round)));
            if (round == 5)
            {
                await goes.DisposeAsync();
            }
        }

        await Eventually.IsTrueAsync(() => server.Events.Count >= 2_000, "all are told");
        await NothingIsLeftAsync(world);
        // A call that was under way when the replica went comes again under its id.
        var calls = server.Taken.DistinctBy(call => call.Id).ToList();
        foreach (var room in rooms)
        {
            Assert.Equal(
                Enumerable.Range(1, 50).Select(i => (long)i),
                calls.Where(call => call.Room == room.RoomId).SelectMany(call => call.Events).Select(Seq));
        }
    }
}
