using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.Tests.Log;
using AspireChat.Tests.Servers;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Connections;

[Trait("Needs", "Redis")]
public sealed class RevocationTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task A_revoked_token_is_refused_at_every_node_within_a_second_its_sockets_close_and_a_new_token_is_good()
    {
        var user = "revoked|" + Guid.NewGuid().ToString("N");
        await using var near = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var far = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        var (old, without) = (Token(user, issuedBefore: 60), Token(user, issuedBefore: null));
        await using var one = await TestSocket.ConnectAsync(near.Address, old);
        await using var two = await TestSocket.ConnectAsync(far.Address, without);
        await using var other = await far.ConnectAsync("other");
        var started = Stopwatch.GetTimestamp();

        await RevokeAsync(near, user);

        Assert.Equal(CloseCodes.Forbidden, await one.ExpectCloseAsync());
        Assert.Equal(CloseCodes.Forbidden, await two.ExpectCloseAsync());
        await Eventually.IsTrueAsync(async () => await StatusAsync(far, old) == HttpStatusCode.Unauthorized, "the far node refuses the token");
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1.5));
        foreach (var node in new[] { near, far })
        {
            var problem = await Problems.AssertAsync(HttpStatusCode.Unauthorized, await GetAsync(node, without));
            Assert.Equal("The token was revoked.", problem.GetProperty("detail").GetString());
            await Assert.ThrowsAsync<WebSocketException>(() => TestSocket.OpenAsync(node.Address, old));
            await using var again = await TestSocket.ConnectAsync(node.Address, Token(user, issuedBefore: -1));
            await again.SendAsync(new { type = "auth", token = old });
            Assert.Equal(ErrorCodes.Forbidden, (string?)(await again.ExpectAsync("error"))["code"]);
            await again.SettleAsync();
        }
        await other.SettleAsync();
    }

    [Fact]
    public async Task An_order_that_pubsub_did_not_bring_closes_what_the_revoked_tokens_opened_and_nothing_else()
    {
        var user = "quiet:" + Guid.NewGuid().ToString("N");
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var old = await TestSocket.ConnectAsync(node.Address, Token(user, issuedBefore: 60));
        await using var renewed = await TestSocket.ConnectAsync(node.Address, Token(user, issuedBefore: 60));
        await renewed.SendAsync(new { type = "auth", token = Token(user, issuedBefore: -60) });
        await renewed.ExpectAsync("authenticated");
        await using var fresh = await TestSocket.ConnectAsync(node.Address, Token(user, issuedBefore: -60));

        // What the endpoint keeps, without what it publishes.
        await fixture.Database.StreamAddAsync(
            RedisKeys.Kicks, [new(KickFields.User, user), new(KickFields.Until, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds())]);

        Assert.Equal(CloseCodes.Forbidden, await old.ExpectCloseAsync());
        await fresh.SettleAsync();
        await renewed.SettleAsync();
    }

    [Fact]
    public async Task A_node_that_starts_later_knows_what_was_revoked_before()
    {
        var user = "early=" + Guid.NewGuid().ToString("N");
        await using (var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString))
        {
            await RevokeAsync(node, user);
        }
        // The order itself is long gone from the stream.
        await fixture.Database.KeyDeleteAsync(RedisKeys.Kicks);

        await using var later = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(later, Token(user, issuedBefore: 60)));
        Assert.NotEqual(HttpStatusCode.Unauthorized, await StatusAsync(later, Token("nobody", issuedBefore: 60)));
    }

    [Fact]
    public async Task A_node_that_cannot_know_answers_503_and_keeps_its_sockets_and_what_it_knows()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = await server.ConnectAsync();
        await OpenAsync();
        await using var node = await ConnectionNode.StartAsync(server.ConnectionString);
        await using var alice = await node.ConnectAsync("alice");
        await RevokeAsync(node, "mallory");

        // Emptied, Redis takes no knowledge from a node that is running.
        await redis.GetServers()[0].FlushAllDatabasesAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(node, Token("mallory", issuedBefore: 60)));
        await using var another = await ConnectionNode.StartAsync(server.ConnectionString);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(another, Token("alice", issuedBefore: 0)));
        await OpenAsync();
        await Eventually.IsTrueAsync(
            async () => await StatusAsync(another, Token("alice", issuedBefore: 0)) is not HttpStatusCode.ServiceUnavailable, "all are known");

        await server.SuspendAsync();

        await Eventually.IsTrueAsync(
            async () => await StatusAsync(node, Token("alice", issuedBefore: 0)) == HttpStatusCode.ServiceUnavailable, "the lease has ended");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(node, Token("mallory", issuedBefore: 60)));
        await alice.SendAsync(new { type = "auth", token = Token("alice", issuedBefore: 0) });
        Assert.Equal(ErrorCodes.Unavailable, (string?)(await alice.ExpectAsync("error"))["code"]);

        async Task OpenAsync()
        {
            for (var partition = 0; partition < LogPartitions.Count; partition++)
            {
                await redis.GetDatabase().StringSetAsync(RedisKeys.Epoch(partition), "e1");
            }
        }
    }

    [Fact]
    public async Task Many_revoked_users_are_learnt_in_parts()
    {
        var partition = ConversationKey.Own("many-0").Partition;
        await fixture.Database.SortedSetAddAsync(
            RedisKeys.Revoked(partition), [.. Enumerable.Range(0, 2_500).Select(i => new StackExchange.Redis.SortedSetEntry($"many-{i}", 1_000 + i))]);
        using var orders = new UserOrders(fixture.Redis, TimeProvider.System);

        Assert.Equal(RevocationState.Revoked, await orders.CheckAsync("many-2499", 3_499));
        Assert.Equal(RevocationState.Good, await orders.CheckAsync("many-2499", 3_500));
        Assert.Equal(RevocationState.Revoked, await orders.CheckAsync("many-0", null));
    }

    private static string Token(string user, int? issuedBefore)
    {
        var now = TimeProvider.System.GetUtcNow();
        return issuedBefore is { } seconds
            ? ConnectionNode.Token(user, more: ("iat", now.AddSeconds(-seconds).ToUnixTimeMilliseconds() / 1_000.0))
            : ConnectionNode.TokenWithoutTime(user);
    }

    private static async Task RevokeAsync(ConnectionNode node, string user)
    {
        using var admin = node.HttpClient("root", "chat:admin");
        using var answer = await admin.PostAsync($"/api/admin/users/{Uri.EscapeDataString(user)}/revoke", null);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    private static async Task<HttpStatusCode> StatusAsync(ConnectionNode node, string token) => (await GetAsync(node, token)).StatusCode;

    /// <summary>Any call that needs a token.</summary>
    private static async Task<HttpResponseMessage> GetAsync(ConnectionNode node, string token)
    {
        using var http = new HttpClient { BaseAddress = node.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await http.PostAsync("/api/socket-tickets", null);
    }
}
