using System.Net;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.Tests.Log;

namespace AspireChat.Tests.Connections;

[Trait("Needs", "Redis")]
public sealed class KickTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task An_order_that_pubsub_did_not_bring_is_read_and_ends_the_users_connections_and_no_others()
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var kicked = await node.ConnectAsync("kicked");
        await using var other = await node.ConnectAsync("other");

        // What the endpoint keeps, without what it publishes.
        await fixture.Database.StreamAddAsync(RedisKeys.Kicks, KickFields.User, "kicked");

        Assert.Equal(CloseCodes.Forbidden, await kicked.ExpectCloseAsync());
        await other.JoinAsync("lobby");
    }

    [Fact]
    public async Task Who_is_let_in_again_is_not_disconnected_by_the_old_order()
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var first = await node.ConnectAsync("forgiven");
        using var admin = node.HttpClient("admin", "chat:admin");
        Assert.Equal(HttpStatusCode.NoContent, (await admin.PostAsync("/api/admin/users/forgiven/disconnect", null)).StatusCode);
        Assert.Equal(CloseCodes.Forbidden, await first.ExpectCloseAsync());
        await using var again = await node.ConnectAsync("forgiven");

        // Kept and not published: when it takes effect, everything before it has been read too.
        await using var later = await node.ConnectAsync("later");
        await fixture.Database.StreamAddAsync(RedisKeys.Kicks, KickFields.User, "later");
        Assert.Equal(CloseCodes.Forbidden, await later.ExpectCloseAsync());
        await again.JoinAsync("lobby");
    }
}
