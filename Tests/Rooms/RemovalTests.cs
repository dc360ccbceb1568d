using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using AspireChat.Chaos.Faults;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using AspireChat.Tests.Connections;
using AspireChat.Tests.Log;
using StackExchange.Redis;

namespace AspireChat.Tests.Rooms;

/// <summary>A removal holds on every node, however a node is cut off, and nothing of the room comes after it.</summary>
[Trait("Needs", "Redis")]
public sealed class RemovalTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    private readonly string _room = $"room-{Guid.NewGuid():N}";
    private readonly string _owner = $"owner-{Guid.NewGuid():N}";
    private readonly string _bob = $"bob-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("members", "removed")]
    [InlineData("bans", "banned")]
    public async Task All_devices_on_all_nodes_are_out_at_once_and_members_are_told(string path, string reason)
    {
        await using var one = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var other = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var owner = await JoinAsync(one, _owner);
        await using var desk = await JoinAsync(one, _bob);
        await using var phone = await JoinAsync(other, _bob);
        using var http = one.HttpClient(_owner);

        using var answer = path == "bans"
            ? await http.PutAsync($"/api/rooms/{_room}/bans/{_bob}", JsonContent.Create(new { reason = "spam \"x\"" }))
            : await http.DeleteAsync($"/api/rooms/{_room}/members/{_bob}");

        Assert.True(answer.IsSuccessStatusCode);
        foreach (var device in (TestSocket[])[desk, phone])
        {
            Assert.Equal(reason, (string?)(await device.ExpectAsync("left"))["reason"]);
            Assert.Equal(reason, (string?)(await device.ExpectAsync("member"))["change"]);
        }

        var told = await owner.ExpectAsync("member");
        Assert.Equal((_bob, _owner), ((string?)told["user"], (string?)told["by"]));
        await owner.SayAsync(_room, "after");
        await desk.SendAsync(new { type = "room", room = _room, content = "x", nonce = "n" });
        Assert.Equal("not_joined", (string?)(await desk.ExpectAsync("error"))["code"]);
        Assert.DoesNotContain(await phone.SettleAsync(), frame => (string?)frame["type"] == "room");
    }

    [Fact]
    public async Task An_order_that_pubsub_did_not_bring_is_read()
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var owner = await JoinAsync(node, _owner);
        await using var bob = await JoinAsync(node, _bob);
        var time = (RedisResult[])(await fixture.Database.ExecuteAsync("TIME"))!;

        // What the call keeps, without what the script publishes.
        await fixture.Database.StreamAddAsync(RedisKeys.Kicks,
        [
            new(KickFields.User, _bob), new(KickFields.Room, _room), new(KickFields.At, (long)time[0] * 1_000_000 + (long)time[1]),
            new(KickFields.Reason, "removed"),
        ]);

        Assert.Equal("removed", (string?)(await bob.ExpectAsync("left"))["reason"]);
        await owner.SayAsync(_room, "still here");
    }

    [Fact]
    public async Task A_node_that_was_cut_off_hands_out_nothing_to_those_who_were_removed_meanwhile()
    {
        await using var proxy = new TcpFaultProxy { Target = new Uri($"redis://{fixture.Server.ConnectionString.Split(',')[0]}").Port };
        await using var one = await ConnectionNode.StartAsync(
            fixture.Server.ConnectionString, "Sockets:EventBurst=100000", "Budgets:AttemptBurst=100000", "Sockets:FrameBurst=100000");
        await using var cut = await ConnectionNode.StartAsync(
            fixture.Server.ConnectionString.Replace($":{proxy.Target}", $":{proxy.Port}", StringComparison.Ordinal));
        using var http = one.HttpClient(_owner);
        Assert.Equal(HttpStatusCode.Created, (await http.PostAsJsonAsync("/api/rooms", new { room = _room, visibility = "private", members = new[] { _bob } })).StatusCode);
        await using var owner = await JoinAsync(one, _owner);
        await using var bob = await JoinAsync(cut, _bob);
        await owner.SayAsync(_room, "before");
        await bob.ExpectAsync("room");

        proxy.Refuses = true;
        proxy.Cut();
        Assert.Equal(HttpStatusCode.NoContent, (await http.DeleteAsync($"/api/rooms/{_room}/members/{_bob}")).StatusCode);
        for (var i = 0; i < 20; i++)
        {
            await owner.SayAsync(_room, $"secret {i}");
        }

        proxy.Refuses = false;
        // Live traffic is there when the node comes back, and the log has what it missed.
        var left = bob.ExpectAsync("left");
        while (!left.IsCompleted)
        {
            await owner.SayAsync(_room, "secret");
        }

        Assert.Equal(_room, (string?)(await left)["room"]);
        await bob.SendAsync(new { type = "resume", conversations = new[] { new { room = _room, since = 0 } }, @ref = "r" });
        Assert.Equal("not_found", (string?)(await bob.ExpectAsync("error"))["code"]);
        Assert.DoesNotContain(await bob.SettleAsync(), frame => (string?)frame["type"] == "room");
    }

    [Fact]
    public async Task Who_is_removed_in_the_middle_of_a_replay_gets_no_more_of_it()
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString, "Sockets:EventBurst=10000", "Hubs:ReplayPageEvents=8");
        await using var owner = await JoinAsync(node, _owner);
        for (var i = 0; i < 300; i++)
        {
            await owner.SayAsync(_room, new string('x', 4_000));
        }

        await using var bob = await node.ConnectAsync(_bob);
        await bob.JoinAsync(_room, since: 0);
        using var http = node.HttpClient(_owner);
        Assert.Equal(HttpStatusCode.OK, (await http.PutAsync($"/api/rooms/{_room}/bans/{_bob}", null)).StatusCode);
        await owner.SayAsync(_room, "after");

        await bob.ExpectAsync("left");
        var frames = await bob.SettleAsync();
        Assert.DoesNotContain(frames, frame => (string?)frame["content"] == "after");
        await bob.SendAsync(new { type = "join", room = _room, @ref = "j" });
        Assert.Equal("forbidden", (string?)(await bob.ExpectAsync("error"))["code"]);
    }

    [Fact]
    public async Task A_deleted_room_ends_for_everybody_and_comes_back_as_another()
    {
        await using var one = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var other = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var owner = await JoinAsync(one, _owner);
        await using var bob = await JoinAsync(other, _bob);
        var ack = await owner.SayAsync(_room, "secret");
        using var http = one.HttpClient(_owner);
        Assert.Equal(HttpStatusCode.NoContent, (await http.DeleteAsync($"/api/rooms/{_room}")).StatusCode);

        Assert.Equal("deleted", (string?)(await owner.ExpectAsync("left"))["reason"]);
        Assert.Equal("deleted", (string?)(await bob.ExpectAsync("left"))["reason"]);
        Assert.False(await fixture.Database.SetContainsAsync(RedisKeys.UserRooms(_bob), _room));
        await bob.SendAsync(new { type = "join", room = _room, since = 0, epoch = (string)ack["epoch"]!, @ref = "j" });
        var joined = await bob.ExpectAsync("joined");
        Assert.Equal("owner", (string?)joined["role"]);
        Assert.NotEqual((string?)ack["epoch"], (string?)joined["epoch"]);
        var resumed = await bob.ExpectAsync("resumed");
        Assert.Equal((0, false), ((long)resumed["seq"]!, (bool)resumed["complete"]!));
        var first = await bob.SayAsync(_room, "new");
        Assert.Equal((string?)joined["epoch"], (string?)first["epoch"]);
        // Each had the first one while the room was there; nobody got it again.
        Assert.Equal(["secret"], Contents(await owner.SettleAsync()));
        Assert.Equal(["secret", "new"], Contents(await bob.SettleAsync()));
    }

    [Fact]
    public async Task A_token_with_less_takes_a_connection_out_of_the_rooms_that_it_does_not_grant()
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var bob = await node.ConnectAsync(_bob);
        await bob.JoinAsync(_room);
        await bob.JoinAsync($"{_room}-2");

        await bob.SendAsync(new { type = "auth", token = ConnectionNode.Token(_bob, more: ("rooms", JsonSerializer.SerializeToElement(new JsonObject { [$"{_room}-*"] = new JsonArray("read", "join") }))) });
        await bob.ExpectAsync("authenticated");

        var left = await bob.ExpectAsync("left");
        Assert.Equal((_room, "forbidden"), ((string?)left["room"], (string?)left["reason"]));
        await bob.SendAsync(new { type = "room", room = $"{_room}-2", content = "x", nonce = "n" });
        Assert.Equal(("forbidden", "n"), await RefusedAsync(bob));
        await bob.SendAsync(new { type = "join", room = _room, @ref = "j" });
        Assert.Equal("forbidden", (await RefusedAsync(bob)).Code);
    }

    [Fact]
    public async Task Joined_says_what_the_room_is_and_what_the_user_is_in_it()
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        using var http = node.HttpClient(_owner);
        var created = await http.PostAsJsonAsync("/api/rooms", new
        {
            room = _room, name = "Tea \"room\"", topic = "ü", visibility = "private", sending = "moderators", meta = new { a = (string[])[] },
        });
        var body = JsonNode.Parse(await created.Content.ReadAsStringAsync())!;
        Assert.Equal("""{"a":[]}""", body["meta"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.Conflict, (await http.PostAsJsonAsync("/api/rooms", new { room = _room })).StatusCode);

        await using var owner = await node.ConnectAsync(_owner);
        var joined = await owner.JoinAsync(_room);

        Assert.Equal(
            ("owner", "private", "moderators", "Tea \"room\"", "ü"),
            ((string?)joined["role"], (string?)joined["visibility"], (string?)joined["sending"], (string?)joined["name"], (string?)joined["topic"]));
        var patched = JsonNode.Parse(await (await http.PatchAsJsonAsync($"/api/rooms/{_room}", new { topic = (string?)null, visibility = "public" })).Content.ReadAsStringAsync())!;
        Assert.Equal(("public", null, "Tea \"room\""), ((string?)patched["visibility"], (string?)patched["topic"], (string?)patched["name"]));
    }

    [Fact]
    public async Task The_server_writes_where_it_is_no_member_and_takes_messages_back()
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var owner = await JoinAsync(node, _owner);
        using var server = node.HttpClient("backend", "chat:admin");

        var sent = await server.PostAsJsonAsync($"/api/admin/rooms/{_room}/messages", new { content = "hello", nonce = "n", from = "news" });
        Assert.Equal(HttpStatusCode.Created, sent.StatusCode);
        Assert.Equal("news", (string?)(await owner.ExpectAsync("room"))["from"]);
        Assert.Equal(HttpStatusCode.NoContent, (await server.DeleteAsync($"/api/admin/rooms/{_room}/messages/1")).StatusCode);
        var deleted = await owner.ExpectAsync("delete");
        Assert.Equal(("system", 1), ((string?)deleted["from"], (long)deleted["target"]!));
        Assert.Equal(HttpStatusCode.Created, (await server.PostAsJsonAsync($"/api/admin/dms/{_owner}/messages", new { content = "psst", nonce = "d" })).StatusCode);
        Assert.Equal("system", (string?)(await owner.ExpectAsync("dm"))["from"]);
        using var user = node.HttpClient(_owner);
        Assert.Equal(HttpStatusCode.Forbidden, (await user.PostAsJsonAsync($"/api/admin/rooms/{_room}/messages", new { content = "x", nonce = "x" })).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await server.PostAsJsonAsync("/api/admin/rooms/never-was/messages", new { content = "x", nonce = "x" })).StatusCode);
    }

    [Fact]
    public async Task Calls_about_rooms_have_bounds()
    {
        await using var node = await ConnectionNode.StartAsync(
            fixture.Server.ConnectionString, "Log:RoomsCreatedPerHour=2", "Rooms:MutesPerRoom=1", "Budgets:ConversationBurst=11", "Budgets:ConversationsPerSecond=0.1");
        using var http = node.HttpClient(_owner);
        using var server = node.HttpClient("backend", "chat:admin");
        object[] wrong =
        [
            new { name = new string('x', 101) }, new { topic = new string('x', 1_001) }, new { meta = new { a = new string('x', 4_096) } },
            new { room = "no room" }, new { visibility = "secret" }, new { members = Enumerable.Range(0, 101).Select(i => $"u{i}") },
        ];
        foreach (var body in wrong)
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await http.PostAsJsonAsync("/api/rooms", body)).StatusCode);
        }

        foreach (var path in (string[])["", "/members/a", "/bans/a", "/mutes/a"])
        {
            var answer = await server.PutAsJsonAsync($"/api/admin/rooms/{_room}{path}", new { ignored = new string('x', 33_000) });
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }

        Assert.Equal(HttpStatusCode.Created, (await http.PostAsJsonAsync("/api/rooms", new { room = _room })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.PutAsync($"/api/rooms/{_room}/mutes/a", null)).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await http.PutAsync($"/api/rooms/{_room}/mutes/b", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await http.PostAsJsonAsync("/api/rooms", new { })).StatusCode);
        Assert.Equal("limit", await CodeAsync(await http.PostAsJsonAsync("/api/rooms", new { })));
        Assert.Equal("rate_limited", await CodeAsync(await http.PutAsync($"/api/rooms/{_room}/mutes/c", null)));
        Assert.Equal(HttpStatusCode.BadRequest, (await server.PostAsJsonAsync($"/api/admin/rooms/{_room}/members", new { members = Enumerable.Range(0, 101).Select(i => $"u{i}") })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsJsonAsync($"/api/admin/rooms/{_room}/members", new { members = Enumerable.Range(0, 100).Select(i => $"u{i}") })).StatusCode);
        Assert.Equal(101, await fixture.Database.HashLengthAsync(RedisKeys.Members(ConversationKey.Room(_room))));
    }

    private async Task<TestSocket> JoinAsync(ConnectionNode node, string user)
    {
        var socket = await node.ConnectAsync(user);
        await socket.JoinAsync(_room);
        return socket;
    }

    private static IEnumerable<string?> Contents(IEnumerable<JsonObject> frames) =>
        frames.Where(frame => (string?)frame["type"] == "room").Select(frame => (string?)frame["content"]);

    private static async Task<(string? Code, string? Nonce)> RefusedAsync(TestSocket socket)
    {
        var error = await socket.ExpectAsync("error");
        return ((string?)error["code"], (string?)error["nonce"]);
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) =>
        (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["code"];
}
