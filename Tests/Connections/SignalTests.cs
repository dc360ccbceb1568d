using System.Text.Json.Nodes;
using AspireChat.Tests.Log;

namespace AspireChat.Tests.Connections;

/// <summary>A product's own events, which are not stored.</summary>
[Trait("Needs", "Redis")]
public sealed class SignalTests(LogFixture redis) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task A_signal_reaches_the_other_members_on_every_node_and_none_of_the_senders_devices()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await using var alice = await one.ConnectAsync("sa");
        await using var alicePhone = await other.ConnectAsync("sa");
        await using var bob = await other.ConnectAsync("sb");
        foreach (var device in new[] { alice, alicePhone, bob })
        {
            await device.JoinAsync("signals");
        }

        await alice.SendTextAsync("{\"type\":\"signal\",\"room\":\"signals\",\"name\":\"cursor\",\"data\":{\"x\": 1.50,\n\"y\":[null]}}");

        var heard = await bob.ExpectAsync("signal");
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"type":"signal","from":"sa","room":"signals","name":"cursor","data":{"x":1.50,"y":[null]}}"""), heard), heard.ToJsonString());
        // What comes next on the channel is the first that the sender's devices hear.
        await bob.SendAsync(new { type = "signal", room = "signals", name = "after" });
        Assert.Equal("after", (string?)(await alice.ExpectAsync("signal"))["name"]);
        Assert.Equal("after", (string?)(await alicePhone.ExpectAsync("signal"))["name"]);
    }

    [Fact]
    public async Task A_signal_to_a_user_reaches_all_of_their_devices_and_names_the_sender_as_the_other_user()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await using var alice = await one.ConnectAsync("da");
        await using var bob = await one.ConnectAsync("db");
        await using var bobPhone = await other.ConnectAsync("db");

        await alice.SendAsync(new { type = "signal", to = "db", name = "wave" });
        await alice.SendAsync(new { type = "signal", to = "da", name = "to myself" });

        foreach (var device in new[] { bob, bobPhone })
        {
            var heard = await device.ExpectAsync("signal");
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"type":"signal","from":"da","to":"da","name":"wave"}"""), heard), heard.ToJsonString());
        }
        await bob.SendAsync(new { type = "signal", to = "da", name = "after" });
        Assert.Equal("after", (string?)(await alice.ExpectAsync("signal"))["name"]);
    }

    [Fact]
    public async Task Above_its_rate_a_connections_signals_are_answered_rate_limited_with_the_time_to_wait()
    {
        await using var node = await StartAsync("Sockets:SignalsPerSecond=0.1", "Sockets:SignalBurst=3");
        await using var alice = await node.ConnectAsync("ra");
        await using var bob = await node.ConnectAsync("rb");
        for (var i = 1; i <= 4; i++)
        {
            await alice.SendAsync(new { type = "signal", to = "rb", name = $"s{i}" });
        }

        var refused = await alice.ExpectAsync("error");
        Assert.Equal("rate_limited", (string?)refused["code"]);
        Assert.InRange((int)refused["retryAfter"]!, 5_000, 10_000);
        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal($"s{i}", (string?)(await bob.ExpectAsync("signal"))["name"]);
        }
        await NoneAsync(bob);
        // Another connection has a rate of its own.
        await using var phone = await node.ConnectAsync("ra");
        await phone.SendAsync(new { type = "signal", to = "rb", name = "s5" });
        Assert.Equal("s5", (string?)(await bob.ExpectAsync("signal"))["name"]);
    }

    [Fact]
    public async Task Signals_count_as_signals_of_the_user_over_all_connections()
    {
        await using var node = await StartAsync("Budgets:SignalsPerSecond=0.1", "Budgets:SignalBurst=1");
        await using var alice = await node.ConnectAsync("ua");
        await using var phone = await node.ConnectAsync("ua");
        await alice.SendAsync(new { type = "signal", to = "ub", name = "first" });
        await alice.SettleAsync();
        await phone.SendAsync(new { type = "signal", to = "ub", name = "second" });
        Assert.Equal("rate_limited", (string?)(await phone.ExpectAsync("error"))["code"]);
    }

    [Fact]
    public async Task A_room_that_was_not_joined_gets_no_signal()
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("na");
        await using var bob = await node.ConnectAsync("nb");
        await bob.JoinAsync("members-only");
        await alice.SendAsync(new { type = "signal", room = "members-only", name = "hello" });
        Assert.Equal("not_joined", (string?)(await alice.ExpectAsync("error"))["code"]);
        await NoneAsync(bob);
    }

    private static async Task NoneAsync(params TestSocket[] devices)
    {
        foreach (var device in devices)
        {
            Assert.DoesNotContain(await device.SettleAsync(), frame => (string?)frame["type"] == "signal");
        }
    }

    private Task<ConnectionNode> StartAsync(params string[] settings) => ConnectionNode.StartAsync(redis.Server.ConnectionString, settings);
}
