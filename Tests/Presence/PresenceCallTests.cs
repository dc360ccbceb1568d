using System.Net;
using System.Text.Json.Nodes;
using AspireChat.Contracts;
using AspireChat.RedisLog;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.Servers;

namespace AspireChat.Tests.Presence;

[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class PresenceCallTests(RedisServer server)
{
    private static readonly string Alice = TestTokens.For("alice");
    private static readonly string Service = TestTokens.For("connection", audience: "aspirechat-internal");

    [Fact]
    public async Task Calls_for_one_user_and_for_many_are_answered_as_the_protocol_says()
    {
        await using var presence = await RunningPresence.StartAsync(server);
        await using var redis = await server.ConnectAsync();
        await redis.GetDatabase().SetAddAsync(RedisKeys.PresenceOnline, "bob");
        await redis.GetDatabase().StringSetAsync(RedisKeys.PresenceSeen("carol"), 1_767_225_600_123);

        var bob = await ReadAsync(await presence.SendAsync(HttpMethod.Get, "/api/users/bob/presence", Alice));
        Assert.Equal(["user", "online", "lastSeen"], bob.AsObject().Select(property => property.Key));
        Assert.Equal(("bob", true), ((string?)bob["user"], (bool)bob["online"]!));
        Assert.True(Timestamps.TryParse((string)bob["lastSeen"]!, out _));

        var question = new { users = new[] { "nobody", "carol", "bob", "nobody" } };
        var all = await ReadAsync(await presence.SendAsync(HttpMethod.Post, "/api/presence", Alice, question));
        Assert.Equal(["nobody", "carol", "bob", "nobody"], all["items"]!.AsArray().Select(item => (string?)item!["user"]));
        Assert.Equal(
            """{"user":"nobody","online":false,"lastSeen":null}{"user":"carol","online":false,"lastSeen":"2026-01-01T00:00:00.123Z"}""",
            all["items"]![0]!.ToJsonString() + all["items"]![1]!.ToJsonString());
    }

    [Theory]
    [InlineData(0, HttpStatusCode.OK)]
    [InlineData(500, HttpStatusCode.OK)]
    [InlineData(501, HttpStatusCode.BadRequest)]
    public async Task One_call_may_ask_for_at_most_five_hundred_users(int count, HttpStatusCode expected)
    {
        await using var presence = await RunningPresence.StartAsync(server);
        using var response = await presence.SendAsync(
            HttpMethod.Post, "/api/presence", Alice, new { users = Enumerable.Range(0, count).Select(i => $"u{i}") });
        Assert.Equal(expected, response.StatusCode);
        if (expected == HttpStatusCode.OK)
        {
            Assert.Equal(count, (await ReadAsync(response))["items"]!.AsArray().Count);
        }
    }

    [Theory]
    [InlineData("""{"users":"bob"}""")]
    [InlineData("""{"users":["bob",null]}""")]
    [InlineData("""{"users":["not an id"]}""")]
    [InlineData("""{"users":[7]}""")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("not json")]
    public async Task A_malformed_request_is_refused_with_problem_details(string body)
    {
        await using var presence = await RunningPresence.StartAsync(server);
        using var response = await presence.SendAsync(HttpMethod.Post, "/api/presence", Alice, body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Users_cannot_report_and_services_cannot_pass_as_users()
    {
        await using var presence = await RunningPresence.StartAsync(server);
        const string report = """{"instance":"i1","sequence":1,"full":true,"users":[],"rooms":[],"typing":[]}""";
        foreach (var (path, token, expected) in new[]
        {
            ("/internal/presence/one", null, HttpStatusCode.Unauthorized),
            ("/internal/presence/one", Alice, HttpStatusCode.Unauthorized),
            ("/internal/presence/one", Service, HttpStatusCode.OK),
            ("/api/presence", null, HttpStatusCode.Unauthorized),
            ("/api/presence", Service, HttpStatusCode.Unauthorized),
        })
        {
            using var response = await presence.SendAsync(HttpMethod.Post, path, token, report);
            Assert.True(expected == response.StatusCode, $"{path}: {response.StatusCode}");
        }
    }

    [Theory]
    [InlineData("""{"instance":"i1","sequence":1,"full":true,"users":[{"user":"a\"b","connections":1}],"rooms":[],"typing":[]}""")]
    [InlineData("""{"instance":"i1","sequence":1,"full":true,"users":[{"user":"a","connections":-1}],"rooms":[],"typing":[]}""")]
    [InlineData("""{"instance":"i1","sequence":1,"full":true,"users":[],"rooms":[{"room":"x:y","user":"a","member":true}],"typing":[]}""")]
    [InlineData("""{"instance":"i","sequence":1,"full":true,"users":[],"rooms":[],"typing":[{"user":"a","room":"x","to":"b"}]}""")]
    [InlineData("""{"instance":"i1","sequence":1,"full":true,"users":[null],"rooms":[],"typing":[]}""")]
    [InlineData("""{"instance":"i1","sequence":1,"full":true}""")]
    public async Task A_report_with_an_invalid_identifier_is_refused_whole(string report)
    {
        await using var presence = await RunningPresence.StartAsync(server);
        using var response = await presence.SendAsync(HttpMethod.Post, "/internal/presence/one", Service, report);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Without_Redis_the_answer_is_503_and_says_when_to_retry()
    {
        await using var own = await RedisServer.StartAsync();
        await using var presence = await RunningPresence.StartAsync(own);
        await own.KillAsync();
        using var response = await presence.SendAsync(HttpMethod.Get, "/api/users/bob/presence", Alice);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }
}
