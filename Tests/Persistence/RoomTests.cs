using System.Net;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Rooms;
using AspireChat.PersistenceService.Migrations;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Persistence;

/// <summary>Rooms in PostgreSQL: what is read of them, what comes back from there, what is gone.</summary>
[Trait("Needs", "System")]
public sealed class RoomTests
{
    private static readonly ConversationKey Tea = ConversationKey.Room("tea");

    [Fact]
    public async Task Rooms_from_before_have_their_longest_member_as_owner_also_in_a_running_Redis()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var migrator = new Migrator(world.Source, TimeProvider.System, NullLogger<Migrator>.Instance);
        await migrator.RunAsync([.. Migration.All.Where(step => step.Version < 3)], CancellationToken.None);
        await world.ExecuteAsync("""
            INSERT INTO members (conversation, member, joined, read, joined_at, changed) VALUES
                ('r:tea', 'bob', true, 0, '2026-01-02', 1), ('r:tea', 'alice', true, 0, '2026-01-01', 2),
                ('r:tea', 'gone', false, 0, '2025-01-01', 3), ('r:empty', 'carol', false, 0, '2026-01-01', 4)
            """);
        // As an earlier version left it: open, with members and without rules.
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            await world.Database.StringSetAsync(RedisKeys.Epoch(partition), "old");
            await world.ExecuteAsync($"INSERT INTO partitions (partition, epoch, committed, opened_at) VALUES ({partition}, 'old', 0, now())");
        }

        await world.Database.HashSetAsync(RedisKeys.Members(Tea), [new("alice", 0), new("bob", 0)]);
        await world.StartServiceAsync();

        await Eventually.IsTrueAsync(
            async () => (await StandingReader.ReadAsync(world.Database, Tea, "alice"))?.Standing.Role == RoomRole.Owner, "alice is the owner");
        Assert.Equal(RoomRole.Member, (await StandingReader.ReadAsync(world.Database, Tea, "bob"))!.Standing.Role);
        Assert.Equal("alice", await world.QueryAsync<string>("SELECT string_agg(member, ',') FROM members WHERE conversation = 'r:tea' AND role = 2"));
        Assert.Equal(2L, await world.QueryAsync<long>("SELECT count(*) FROM rooms"));
    }

    [Fact]
    public async Task What_is_read_of_a_room_follows_its_rules_also_after_Redis_was_emptied_and_a_deleted_room_is_gone()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        var rooms = new RoomLog(world.Redis, Options.Create(new ConversationLogOptions()), Options.Create(new RoomOptions()), TimeProvider.System);
        var alice = new RoomActor("alice", null, IsServer: false);
        var created = await rooms.ChangeAsync(
            alice, "tea", "create", new RoomFields(RoomVisibility.Private, Name: "\"Green Tea-Room\""), owned: true, CancellationToken.None);
        await rooms.ChangeAsync(alice, "tea", MemberOperation.Add, "bob", CancellationToken.None, RoomRole.Moderator);
        await rooms.ChangeAsync(alice, "tea", MemberOperation.Ban, "eve", CancellationToken.None, reason: "\"spam\"");
        await rooms.ChangeAsync(alice, "tea", MemberOperation.Mute, "dave", CancellationToken.None);
        await log.AppendAsync(PersistenceWorld.Message(Tea, "alice", "n1", "secret"));
        await world.DurableAsync(Tea, 1);
        await rooms.CommittedAsync("tea", created, CancellationToken.None);

        await CheckAsync();
        await world.Database.ExecuteAsync("FLUSHALL");
        await Eventually.IsTrueAsync(
            async () => (await StandingReader.ReadAsync(world.Database, Tea, "bob"))?.Standing.Role == RoomRole.Moderator, "the rules are back");
        await world.OpenedAsync();
        await CheckAsync();

        await rooms.ChangeAsync(alice, "tea", "delete", new RoomFields(), owned: false, CancellationToken.None);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("alice", "messages"));
        Assert.Equal(RoomRole.Owner, (await log.Log.JoinAsync("tea", "carol", CancellationToken.None)).Role);
        var first = await log.AppendAsync(PersistenceWorld.Message(Tea, "carol", "n1", "new"));
        await world.DurableAsync(Tea, first.Seq);
        var page = await service.GetJsonAsync("/api/rooms/tea/messages?after=0", "carol");
        Assert.Equal(["new"], page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("content").GetString()));
        Assert.Equal(first.Epoch, page.GetProperty("epoch").GetString());
        await Eventually.IsTrueAsync(
            async () => await world.QueryAsync<long>("SELECT count(*) FROM events WHERE content = 'secret'") == 0, "the content is gone");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("mallory", "messages"));

        async Task CheckAsync()
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync("bob", "messages"));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync("bob", "bans"));
            foreach (var (user, call) in ((string, string)[])[("mallory", "messages"), ("mallory", "members"), ("mallory", "bans"), ("mallory", ""), ("eve", "")])
            {
                Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(user, call));
            }

            Assert.Equal(1, await FoundAsync("bob", "gre te"));
            Assert.Equal(1, await FoundAsync("bob", "tea"));
            Assert.Equal(0, await FoundAsync("bob", "een"));
            Assert.Equal(0, await FoundAsync("mallory", "tea"));
            var bans = await service.GetJsonAsync("/api/rooms/tea/bans", "alice");
            Assert.Equal("""[{"user":"eve","reason":"spam","by":"alice"}]""", bans.GetProperty("items").GetRawText());
            Assert.True((await StandingReader.ReadAsync(world.Database, Tea, "eve"))!.Standing.Banned);
            Assert.True((await StandingReader.ReadAsync(world.Database, Tea, "dave"))!.Standing.Muted);
        }

        async Task<HttpStatusCode> StatusAsync(string user, string call)
        {
            using var answer = await service.GetAsync($"/api/rooms/tea/{call}".TrimEnd('/'), user);
            return answer.StatusCode;
        }

        async Task<int> FoundAsync(string user, string query) =>
            (await service.GetJsonAsync($"/api/rooms?query={Uri.EscapeDataString(query)}", user)).GetProperty("items").GetArrayLength();
    }
}
