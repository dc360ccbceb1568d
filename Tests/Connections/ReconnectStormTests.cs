using AspireChat.Tests.Log;

namespace AspireChat.Tests.Connections;

[Trait("Needs", "Redis")]
public sealed class ReconnectStormTests(LogFixture redis) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task Hundreds_who_come_back_at_once_to_another_node_miss_nothing()
    {
        await using var first = await ConnectionNode.StartAsync(redis.Server.ConnectionString, "Sockets:EventBurst=100000");
        await using var alice = await first.ConnectAsync("alice");
        await alice.JoinAsync("storm");
        for (var i = 1; i <= 300; i++)
        {
            await alice.SayAsync("storm", $"m{i}");
        }

        await using var second = await ConnectionNode.StartAsync(redis.Server.ConnectionString);
        var back = await Task.WhenAll(Enumerable.Range(0, 300).Select(async i =>
        {
            var socket = await second.ConnectAsync($"u{i}");
            await socket.SendAsync(new { type = "resume",
                conversations = new object[] { new { room = "storm", since = 200, epoch = LogFixture.Epoch } } });
            for (var seq = 201; seq <= 300; seq++)
            {
                Assert.Equal(seq, (long)(await socket.ExpectAsync("room"))["seq"]!);
            }

            Assert.True((bool)(await socket.ExpectAsync("resumed"))["complete"]!);
            return socket;
        }));
        await alice.SayAsync("storm", "to all");
        foreach (var socket in back)
        {
            Assert.Equal(301, (long)(await socket.ExpectAsync("room"))["seq"]!);
            await socket.DisposeAsync();
        }
    }
}
