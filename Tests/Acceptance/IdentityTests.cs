using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Acceptance;

/// <summary>Users of wide ids in the whole system, through the gateway.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class IdentityTests(ChatSystem system)
{
    [Theory]
    [InlineData("auth0|{0}", "a.b+c@{0}.com")]
    [InlineData("urn:x:{0}~1=2", "urn:x:{0}")]
    public async Task Everything_works_for_users_of_any_id(string oneForm, string otherForm)
    {
        var (one, other) = (Named(oneForm), Named(otherForm));
        var room = ChatSystem.Unique("wide");
        var socket = await system.ConnectAsync(one);
        await using var second = await system.ConnectAsync(other);
        await socket.JoinAsync(room);
        await second.JoinAsync(room);
        await socket.ExpectAsync("online", frame => frame["users"]!.AsArray().Any(user => (string?)user == other));

        await second.SendAsync(new { type = "typing", room });
        Assert.Equal(other, (string?)(await socket.ExpectAsync("typing", frame => (bool)frame["active"]!))["from"]);
        await second.SendAsync(new { type = "typing", to = one });
        Assert.Equal(other, (string?)(await socket.ExpectAsync("typing", frame => frame["to"] is not null && (bool)frame["active"]!))["to"]);
        await second.SayAsync(room, "to all");
        await socket.ExpectAsync("room");
        var seq = (long)(await second.TellAsync(one, "psst"))["seq"]!;
        await socket.ExpectAsync("dm");
        await socket.SendAsync(new { type = "read", to = other, seq });
        Assert.Equal(one, (string?)(await second.ExpectAsync("read", frame => (string?)frame["from"] == one))["to"]);

        // Missed while away, and resumed.
        await socket.DisposeAsync();
        await second.TellAsync(one, "missed");
        await using var back = await system.ConnectAsync(one);
        await back.SendAsync(new { type = "resume", conversations = new object[] { new { to = other, since = seq }, new { room, since = 0 } } });
        await back.ExpectAsync("dm", frame => (string?)frame["content"] == "missed");
        await back.ExpectAsync("resumed", frame => (string?)frame["to"] == other);

        var history = await system.GetAsync(one, $"/api/dms/{Uri.EscapeDataString(other)}/messages");
        Assert.Equal(["missed", "psst"], history["items"]!.AsArray().Select(item => (string?)item!["content"]));
        var members = await ChatSystem.EventuallyAsync(
            () => system.GetAsync(one, $"/api/rooms/{room}/members"), page => page["items"]!.AsArray().All(member => (bool)member!["online"]!));
        Assert.Equal(new[] { one, other }.Order(StringComparer.Ordinal), members["items"]!.AsArray().Select(member => (string?)member!["user"]));
        var conversations = await system.GetAsync(one, "/api/conversations");
        var direct = conversations["items"]!.AsArray().Single(item => (string?)item!["to"] == other)!;
        Assert.Equal((seq, 1), ((long)direct["read"]!, (int)direct["unread"]!));
        Assert.True((bool)(await system.GetAsync(one, $"/api/users/{Uri.EscapeDataString(other)}/presence"))["online"]!);

        var (status, _) = await system.CallAsync("root", HttpMethod.Post, $"/api/admin/users/{Uri.EscapeDataString(other)}/disconnect", scope: "chat:admin");
        Assert.Equal(204, status);
        Assert.Equal(CloseCodes.Forbidden, await second.ExpectCloseAsync());
    }

    [Fact]
    public async Task A_profile_is_shown_wherever_its_user_is_named_and_a_change_reaches_the_members()
    {
        var (alice, bob, room) = (Named("auth0|{0}"), ChatSystem.Unique("bob"), ChatSystem.Unique("shown"));
        await using var first = await ChatSocket.ConnectAsync(system.Gateway, bob, await system.TokenAsync(bob));
        await first.JoinAsync(room);
        await using var socket = await ChatSocket.ConnectAsync(system.Gateway, alice, await system.TokenAsync(alice, name: "Alice Ä"));

        var joined = await socket.JoinAsync(room);
        Assert.Equal("Alice Ä", (string?)joined["profiles"]![alice]!["name"]);
        var online = await first.ExpectAsync("online", frame => frame["users"]!.AsArray().Any(user => (string?)user == alice));
        Assert.Equal("Alice Ä", (string?)online["profiles"]![alice]!["name"]);
        await socket.SayAsync(room, "hello");
        Assert.Equal("Alice Ä", (string?)(await first.ExpectAsync("room"))["name"]);

        var (status, _) = await system.CallAsync(
            "root", HttpMethod.Put, $"/api/admin/users/{Uri.EscapeDataString(alice)}", new { name = "Set", picture = "https://example.com/a.png" }, "chat:admin");
        Assert.Equal(200, status);
        var told = await first.ExpectAsync("profile", frame => (string?)frame["user"] == alice);
        Assert.Equal(("Set", "https://example.com/a.png"), ((string?)told["name"], (string?)told["picture"]));

        foreach (var path in new[] { $"/api/rooms/{room}/messages", $"/api/rooms/{room}/members" })
        {
            Assert.Equal("Set", (string?)(await system.GetAsync(bob, path))["profiles"]![alice]!["name"]);
        }
        var found = await ChatSystem.EventuallyAsync(
            () => system.GetAsync(bob, $"/api/users?query={Uri.EscapeDataString(alice.ToUpperInvariant())}"),
            users => users["items"]!.AsArray().Any(user => (string?)user!["name"] == "Set"));
        Assert.Equal(alice, (string?)Assert.Single(found["items"]!.AsArray())!["user"]);
        await using var late = await ChatSocket.ConnectAsync(system.Gateway, bob, await system.TokenAsync(bob));
        await ChatSystem.EventuallyAsync(
            () => late.JoinAsync(room), frame => (string?)frame["profiles"]?[alice]?["name"] == "Set");
    }

    [Fact]
    public async Task Revoked_tokens_are_refused_by_every_service_within_a_second_and_a_new_one_is_good()
    {
        var user = Named("gone|{0}");
        var token = await system.TokenAsync(user);
        await using var socket = await ChatSocket.ConnectAsync(system.Gateway, user, token);
        Assert.All(await StatusesAsync(token), status => Assert.Equal(HttpStatusCode.OK, status));
        var started = Stopwatch.GetTimestamp();

        await system.CallAsync("root", HttpMethod.Post, $"/api/admin/users/{Uri.EscapeDataString(user)}/revoke", scope: "chat:admin");

        Assert.Equal(CloseCodes.Forbidden, await socket.ExpectCloseAsync());
        await ChatSystem.EventuallyAsync(() => StatusesAsync(token), statuses => statuses.All(status => status == HttpStatusCode.Unauthorized));
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 2);
        // A token whose iat is a whole second is refused if it is of the same second as the revocation.
        await ChatSystem.EventuallyAsync(
            async () => await StatusesAsync(await system.TokenAsync(user)), statuses => statuses.All(status => status == HttpStatusCode.OK));
        await using var again = await ChatSocket.ConnectAsync(system.Gateway, user, await system.TokenAsync(user));
    }

    private static string Named(string form) => string.Format(form, Guid.NewGuid().ToString("N")[..12]);

    /// <summary>A call to each service behind the gateway.</summary>
    private async Task<HttpStatusCode[]> StatusesAsync(string token)
    {
        List<HttpStatusCode> statuses = [];
        foreach (var path in new[] { "/api/conversations", "/api/users/bob/presence" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var answer = await system.Http.SendAsync(request);
            statuses.Add(answer.StatusCode);
        }
        return [.. statuses];
    }
}
