using System.Net;
using System.Text.Json;
using AspireChat.ConnectionService.Profiles;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Persistence;

[Trait("Needs", "PostgreSQL")]
public sealed class UserTests
{
    private const string Auth0 = "auth0|64f0c2";
    private const string Mail = "a.b+c@example.com";
    private const string Urn = "urn:x:y~1=2";

    [Fact]
    public async Task Profiles_and_revocations_reach_the_database_and_come_back_into_an_emptied_Redis()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var profiles = Profiles(world);
        await profiles.ConnectedAsync(Auth0, new UserProfile("Älice", "https://example.com/a.png"));
        await profiles.ConnectedAsync(Mail, null);
        await profiles.SetAsync(Urn, new UserProfile("Urn", null));
        await profiles.SetAsync(Urn, null);
        await RevokeAsync(world, Urn, 5_000);
        await Eventually.IsTrueAsync(
            async () => await world.QueryAsync<long>("SELECT count(*) FROM users WHERE first_seen IS NOT NULL") == 3
                && await world.QueryAsync<long>($"SELECT revoked FROM users WHERE user_id = '{Urn}'") == 5_000,
            "all of it is committed");
        Assert.Equal("Älice", await world.QueryAsync<string>($"SELECT name FROM users WHERE user_id = '{Auth0}'"));
        Assert.Null(await world.QueryAsync<string>($"SELECT name FROM users WHERE user_id = '{Urn}'"));

        await world.Redis.GetServers()[0].FlushAllDatabasesAsync();
        await world.OpenedAsync();

        var stored = await StoredProfiles.ReadAsync(world.Database, [Auth0, Mail, Urn, "nobody"]);
        Assert.Equal("""{"name":"Älice","picture":"https://example.com/a.png"}""", Assert.Single(stored).Value.Text);
        Assert.True(await world.Database.HashExistsAsync(RedisKeys.Users(ConversationKey.Own(Mail).Partition), Mail));
        Assert.Equal(5_000, await world.Database.SortedSetScoreAsync(RedisKeys.Revoked(ConversationKey.Own(Urn).Partition), Urn));
        using var orders = new UserOrders(world.Redis, TimeProvider.System);
        Assert.Equal(RevocationState.Revoked, await orders.CheckAsync(Urn, 5_000));
        Assert.Equal(RevocationState.Good, await orders.CheckAsync(Urn, 5_001));
        Assert.Equal(0, service.Total("aspirechat.persistence.entries.buried"));
    }

    [Fact]
    public async Task The_later_record_of_a_profile_stands_however_often_an_earlier_one_is_written_again()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await world.MigrateAsync();
        var profiles = Profiles(world);
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            await world.Database.StringSetAsync(RedisKeys.Epoch(partition), "e1");
        }
        await profiles.SetAsync(Mail, new UserProfile("One", null));
        await profiles.SetAsync(Mail, new UserProfile("Two", null));
        var own = ConversationKey.Own(Mail);
        List<LogEntry> entries = [];
        foreach (var entry in await world.Database.StreamRangeAsync(RedisKeys.Log(own.Partition)))
        {
            LogEntry.Read(entry, entries);
        }
        var writer = new AspireChat.PersistenceService.Writing.BatchWriter(world.Source, TimeProvider.System);

        foreach (var batch in new[] { entries, [entries[1]], [entries[0]], entries })
        {
            await writer.WriteAsync(
                [new AspireChat.PersistenceService.Writing.PartitionBatch(own.Partition, batch, LogPosition.None)], CancellationToken.None);
        }

        Assert.Equal("Two", await world.QueryAsync<string>($"SELECT name FROM users WHERE user_id = '{Mail}'"));
    }

    [Fact]
    public async Task Users_are_found_by_the_start_of_id_or_name_whatever_the_case()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var profiles = Profiles(world);
        await profiles.ConnectedAsync("Zed", new UserProfile("Älice B", null));
        await profiles.ConnectedAsync("alice", new UserProfile("Bob", "https://example.com/b.png"));
        await profiles.ConnectedAsync(Auth0, null);
        await RevokeAsync(world, "never-seen", 5);
        async Task<string> FoundAsync(string query, string more = "") => string.Join(
            ' ', (await service.GetJsonAsync($"/api/users?query={Uri.EscapeDataString(query)}{more}")).GetProperty("items").EnumerateArray()
                .Select(item => item.GetProperty("user").GetString()));

        await Eventually.IsTrueAsync(async () => (await FoundAsync("")).Split(' ').Length == 3, "three users are known");

        Assert.Equal("alice auth0|64f0c2 Zed", await FoundAsync(""));
        Assert.Equal("Zed", await FoundAsync("ÄLI"));
        Assert.Equal("alice", await FoundAsync("bO"));
        Assert.Equal("alice auth0|64f0c2", await FoundAsync("A"));
        Assert.Equal("auth0|64f0c2", await FoundAsync("AUTH0|"));
        Assert.Equal("", await FoundAsync("%"));
        Assert.Equal("", await FoundAsync("never"));
        Assert.Equal("alice auth0|64f0c2", await FoundAsync("", "&limit=2"));
        var bob = (await service.GetJsonAsync("/api/users?query=bob")).GetProperty("items")[0];
        Assert.Equal(("Bob", "https://example.com/b.png"), (bob.GetProperty("name").GetString(), bob.GetProperty("picture").GetString()));
        Assert.Equal(HttpStatusCode.BadRequest, (await service.GetAsync("/api/users?limit=0")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await service.GetAsync($"/api/users?query={new string('x', 129)}")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await service.GetAsync("/api/admin/users")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await service.GetAsync("/api/users", user: null)).StatusCode);
    }

    [Fact]
    public async Task Pages_members_and_conversations_carry_the_profiles_of_those_they_name()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        var profiles = Profiles(world);
        await profiles.ConnectedAsync(Auth0, new UserProfile("Alice", null));
        await profiles.ConnectedAsync(Urn, new UserProfile(null, "https://example.com/u.png"));
        await log.Log.JoinAsync("lobby", Auth0, CancellationToken.None);
        await log.Log.JoinAsync("lobby", Mail, CancellationToken.None);
        await log.AppendAsync(PersistenceWorld.Message(ConversationKey.Room("lobby"), Auth0, "n1") with { Name = "Alice" });
        await log.AppendAsync(PersistenceWorld.Message(ConversationKey.Direct(Mail, Urn), Urn, "n2"));
        await world.DurableAsync(ConversationKey.Direct(Mail, Urn), 1);
        static string Of(JsonElement answer) => answer.GetProperty("profiles").GetRawText();

        var room = await service.GetJsonAsync("/api/rooms/lobby/messages", Mail);
        Assert.Equal("{\"auth0|64f0c2\":{\"name\":\"Alice\"}}", Of(room));
        Assert.False(room.GetProperty("items")[0].TryGetProperty("name", out _));
        Assert.Equal(
            "{\"urn:x:y~1=2\":{\"picture\":\"https://example.com/u.png\"}}",
            Of(await service.GetJsonAsync($"/api/dms/{Uri.EscapeDataString(Urn)}/messages", Mail)));
        Assert.Equal("{\"auth0|64f0c2\":{\"name\":\"Alice\"}}", Of(await service.GetJsonAsync("/api/rooms/lobby/members", Mail)));
        var members = await service.GetJsonAsync($"/api/rooms/lobby/members?after={Uri.EscapeDataString(Mail)}", Mail);
        Assert.Equal(Auth0, Assert.Single(members.GetProperty("items").EnumerateArray()).GetProperty("user").GetString());
        var conversations = await service.GetJsonAsync("/api/conversations", Mail);
        Assert.Equal(2, conversations.GetProperty("profiles").EnumerateObject().Count());
        Assert.Contains(Urn, conversations.GetProperty("items").EnumerateArray().Select(item => item.TryGetProperty("to", out var to) ? to.GetString() : ""));
    }

    [Fact]
    public async Task The_servers_own_conversation_can_be_read_where_it_wrote_and_is_no_user_elsewhere()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        await log.AppendAsync(PersistenceWorld.Message(ConversationKey.Direct("bob", UserIds.System), UserIds.System, "n1"));

        Assert.Equal(1, (await service.GetJsonAsync("/api/dms/system/messages", "bob")).GetProperty("head").GetInt64());
        Assert.Equal(HttpStatusCode.BadRequest, (await service.GetAsync("/api/dms/system/messages")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await service.GetAsync("/api/dms/a%2Fb/messages")).StatusCode);
    }

    private static UserProfiles Profiles(PersistenceWorld world) =>
        new(world.Redis, new ProfileAnnouncer(world.Redis, TimeProvider.System), TimeProvider.System);

    private static Task RevokeAsync(PersistenceWorld world, string user, long until)
    {
        var own = ConversationKey.Own(user);
        return world.Database.ScriptEvaluateAsync(
            RedisScripts.Revoke,
            [RedisKeys.Epoch(own.Partition), RedisKeys.Revoked(own.Partition), RedisKeys.Log(own.Partition)],
            [own.Value, user, until, RedisChannels.LogBell(own.Partition)]);
    }
}
