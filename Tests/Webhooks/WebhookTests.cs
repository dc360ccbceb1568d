using System.Text.Json.Nodes;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using AspireChat.Tests.Persistence;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Options;
using StandardWebhooks;
using static AspireChat.Tests.Webhooks.Webhook;

namespace AspireChat.Tests.Webhooks;

[Trait("Needs", "System")]
public sealed class WebhookTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ConversationKey Garden = ConversationKey.Room("garden");

    [Fact]
    public async Task Everything_is_told_in_the_order_of_seq_and_signed_as_Standard_Webhooks_says()
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server);
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();

        await log.Log.JoinAsync("lobby", "alice", CancellationToken.None);
        await SendAsync(log, Lobby, 250);
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "edit", "better") with { Kind = EventKind.Edit, Target = 1 });
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "bob", "react") with { Kind = EventKind.React, Target = 2, Content = null, Emoji = "👍" });
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "delete") with { Kind = EventKind.Delete, Target = 3, Content = null });
        await log.AppendAsync(PersistenceWorld.Message(ConversationKey.Direct("alice", "bob"), "alice", "d1", "psst"));
        await Eventually.IsTrueAsync(() => server.Events.Count == 256, "all events are told");

        foreach (var call in server.Calls)
        {
            new StandardWebhook(Secret).Verify(call.Body, call.Headers);
            Assert.InRange(call.Events.Count, 1, 100);
            Assert.Single(call.Events.Select(e => (string?)e["data"]!["room"]).Distinct());
        }
        var ofLobby = server.Events.Where(e => (string?)e["data"]!["room"] == "lobby").ToList();
        Assert.Equal(Enumerable.Range(1, 253).Select(i => (long)i), ofLobby.Where(e => e["data"]!["seq"] is not null).Select(Seq));
        Assert.Equal("""{"room":"lobby","user":"alice","change":"joined"}""", Single("member.changed")["data"]!.ToJsonString());
        Assert.Equal(("better", 1L), ((string?)Single("message.edited")["data"]!["content"], (long)Single("message.edited")["data"]!["target"]!));
        Assert.Equal("👍", (string?)Single("reaction.changed")["data"]!["emoji"]);
        Assert.Equal(3L, (long)Single("message.deleted")["data"]!["target"]!);
        var direct = server.Events.Single(e => (string?)e["data"]!["to"] == "bob");
        Assert.Equal(("message.created", "psst", "alice"), ((string?)direct["type"], (string?)direct["data"]!["content"], (string?)direct["data"]!["from"]));
        Assert.Null(direct["data"]!["nonce"]);
        await NothingIsLeftAsync(world);

        JsonObject Single(string type) => server.Events.Single(e => (string?)e["type"] == type);
    }

    [Fact]
    public async Task Changes_of_rooms_and_of_members_are_told_with_who_made_them()
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server);
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        var rooms = new RoomLog(world.Redis, Options.Create(new ConversationLogOptions()), Options.Create(new RoomOptions()), TimeProvider.System);
        await log.Log.JoinAsync("lobby", "alice", CancellationToken.None);
        var alice = new RoomActor("alice", null, IsServer: false);

        await rooms.ChangeAsync(alice, "lobby", MemberOperation.Add, "bob", CancellationToken.None, RoomRole.Moderator);
        await rooms.ChangeAsync(RoomActor.Server, "lobby", MemberOperation.Ban, "bob", CancellationToken.None);
        await rooms.ChangeAsync(alice, "lobby", "update", new RoomFields(Sending: RoomSending.Moderators), owned: false, CancellationToken.None);
        await Eventually.IsTrueAsync(() => server.Events.Count == 5, "all is told");

        Assert.Equal(
            [
                """room.changed {"room":"lobby","change":"created","by":"alice"}""",
                """member.changed {"room":"lobby","user":"alice","change":"joined"}""",
                """member.changed {"room":"lobby","user":"bob","change":"added","by":"alice","role":"moderator"}""",
                """member.changed {"room":"lobby","user":"bob","change":"banned","by":"system"}""",
                """room.changed {"room":"lobby","change":"updated","by":"alice"}""",
            ],
            server.Events.Select(e => $"{(string?)e["type"]} {e["data"]!.ToJsonString()}"));
        await NothingIsLeftAsync(world);
    }

    [Fact]
    public async Task A_repeat_has_the_same_id_and_body_and_a_fresh_signature()
    {
        var failures = 2;
        await using var server = await HookServer.StartAsync((_, _) => Task.FromResult(Interlocked.Decrement(ref failures) >= 0 ? 500 : 200));
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server);
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();

        await SendAsync(log, Lobby, 1);
        await Eventually.IsTrueAsync(() => server.Events.Count == 1, "the event is told");
        // Appended while the first call is repeated, it must not get into that call.
        await SendAsync(log, Lobby, 1, first: 2);
        await Eventually.IsTrueAsync(() => server.Events.Count == 2, "the next one is told");

        Assert.Equal(4, server.Calls.Count);
        Assert.Single(server.Calls.Take(3).Select(call => (call.Id, call.Body)).Distinct());
        Assert.NotEqual(server.Calls[0].Id, server.Calls[3].Id);
        Assert.All(server.Calls, call => new StandardWebhook(Secret).Verify(call.Body, call.Headers));
    }

    [Fact]
    public async Task What_was_deleted_meanwhile_is_told_without_its_content()
    {
        var heals = false;
        await using var server = await HookServer.StartAsync((_, _) => Task.FromResult(Volatile.Read(ref heals) ? 200 : 500));
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server, settings => settings["Webhooks:LongestPause"] = "00:00:00.2");
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();

        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n1", "a secret"));
        await Eventually.IsTrueAsync(() => server.Calls.Count > 0, "the call was tried");
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n2") with { Kind = EventKind.Delete, Target = 1, Content = null });
        await world.DurableAsync(Lobby, 2);
        Volatile.Write(ref heals, true);
        await Eventually.IsTrueAsync(() => server.Events.Count == 2, "both are told");

        var created = server.Events[0]["data"]!;
        Assert.Equal(("", true), ((string?)created["content"], (bool)created["deleted"]!));
        Assert.Equal(0, await world.QueryAsync<long>("SELECT count(*) FROM webhook_batches WHERE details::text LIKE '%secret%'"));
    }

    [Fact]
    public async Task A_message_is_told_as_unseen_once_unless_its_addressee_reads_it_or_comes()
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server, settings =>
        {
            settings["Webhooks:UnseenAfter"] = "00:00:01";
            settings["Webhooks:0:Events"] = "message.unseen";
        });
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        await world.Database.HashSetAsync(RedisKeys.PresenceUser("carol"), "node", 1);

        foreach (var to in (string[])["bob", "carol", "dave", "erin"])
        {
            await log.AppendAsync(PersistenceWorld.Message(ConversationKey.Direct("alice", to), "alice", "n", $"for {to}"));
        }
        await log.Log.ReadAsync(ConversationKey.Direct("alice", "dave"), "dave", 1, CancellationToken.None);
        await log.AppendAsync(
            PersistenceWorld.Message(ConversationKey.Direct("alice", "erin"), "alice", "gone") with { Kind = EventKind.Delete, Target = 1, Content = null });

        // Carol's connection is there for four times UnseenAfter; then nothing is watched any more.
        await Eventually.IsTrueAsync(
            async () => server.Events.Count > 0 && await world.QueryAsync<long>("SELECT count(*) FROM webhook_unseen") == 0, "all are judged");
        await NothingIsLeftAsync(world);
        var unseen = Assert.Single(server.Events);
        Assert.Equal(("message.unseen", "bob"), ((string?)unseen["type"], (string?)unseen["data"]!["user"]));
        Assert.Equal(("for bob", 1L), ((string?)unseen["data"]!["message"]!["content"], (long)unseen["data"]!["message"]!["seq"]!));
    }

    [Fact]
    public async Task Who_comes_and_goes_is_told_in_order()
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await StartAsync(world, server);
        await Eventually.IsTrueAsync(() => world.Database.KeyExistsAsync(RedisKeys.PresenceWatched), "somebody reads the changes");
        for (var i = 0; i < 120; i++)
        {
            await world.Database.StreamAddAsync(
                RedisKeys.PresenceChanges, [new(PresenceChangeFields.User, $"u{i / 2}"), new(PresenceChangeFields.Online, 1 - i % 2)]);
        }

        await Eventually.IsTrueAsync(() => server.Events.Count == 120, "all changes are told");
        Assert.Equal(
            Enumerable.Range(0, 120).Select(i => (i % 2 == 0 ? "user.online" : "user.offline", $"u{i / 2}")),
            server.Events.Select(e => ((string)e["type"]!, (string)e["data"]!["user"]!)));
    }

    [Fact]
    public async Task Without_a_webhook_nothing_is_noted()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        await SendAsync(log, Lobby, 3);
        await world.DurableAsync(Lobby, 3);

        Assert.Equal(0, await world.QueryAsync<long>("SELECT (SELECT count(*) FROM webhook_outbox) + (SELECT count(*) FROM webhook_unseen)"));
        Assert.Equal("""{"items":[],"next":null}""", (await ListAsync(service)).Root.ToJsonString());
    }

    [Theory]
    [InlineData("Webhooks:0:Secret", "secret", "Webhooks:0:Secret must be whsec_")]
    [InlineData("Webhooks:0:Url", "ftp://x", "Webhooks:0:Url must be an http")]
    [InlineData("Webhooks:0:Events", "message.creatd", "Webhooks:0:Events has 'message.creatd'")]
    [InlineData("Webhooks:Timeout", "00:02:00", "Webhooks:Timeout")]
    public async Task Bad_configuration_stops_the_start_with_the_name_of_the_key(string key, string value, string message)
    {
        await using var server = await HookServer.StartAsync();
        await using var world = await PersistenceWorld.CreateAsync();
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(world, server, settings => settings[key] = value));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }
}
