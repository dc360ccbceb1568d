using AspireChat.Tests.Log;

namespace AspireChat.Tests.Connections;

[Trait("Needs", "Redis")]
public sealed class SlowConsumerTests(LogFixture redis) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task Slow_consumer_is_closed_without_delaying_the_room_and_resumes_without_a_gap()
    {
        await using var node = await ConnectionNode.StartAsync(
            redis.Server.ConnectionString, "Sockets:EventBurst=100000", "Sockets:OutboundBytes=131072", "Sockets:FramesPerSecond=100000",
            "Sockets:CloseTimeout=00:00:01");
        await using var alice = await node.ConnectAsync("alice");
        await using var bob = await node.ConnectAsync("bob");
        await using var sleeper = await node.ConnectAsync("sleeper");
        foreach (var socket in new[] { alice, bob, sleeper })
        {
            await socket.JoinAsync("slow");
        }

        // More than what the kernel takes for a client that does not read, which is several megabytes on the loopback.
        var content = new string('x', 7_900);
        var sent = 0;
        for (; sent < 2_500; sent++)
        {
            await alice.SendAsync(new { type = "room", room = "slow", content, nonce = $"s{sent}" });
            await alice.ExpectAsync("ack");
            await alice.ExpectAsync("room");
            Assert.Equal(sent + 1, (long)(await bob.ExpectAsync("room"))["seq"]!);
        }
        Assert.Contains(await sleeper.ExpectCloseAsync(), new[] { 4008, -1 });

        // The tail keeps 1,000; the oldest missing ones are history by now.
        var since = sent - 900;
        await using var back = await node.ConnectAsync("sleeper");
        await back.SendAsync(new { type = "join", room = "slow", since, epoch = LogFixture.Epoch });
        for (var seq = since + 1; seq <= sent; seq++)
        {
            Assert.Equal(seq, (long)(await back.ExpectAsync("room"))["seq"]!);
        }

        Assert.True((bool)(await back.ExpectAsync("resumed"))["complete"]!);
    }
}
