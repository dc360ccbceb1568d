using AspireChat.ConnectionService.Connections;
using AspireChat.Tests.Log;
using AspireChat.Tests.WebSockets;

namespace AspireChat.Tests.Connections;

[Trait("Needs", "Redis")]
public sealed class HeartbeatTests(LogFixture redis) : IClassFixture<LogFixture>
{
    [Theory]
    [InlineData(SocketFraming.Own)]
    [InlineData(SocketFraming.Framework)]
    public async Task A_client_that_answers_no_ping_is_cut_and_one_that_does_stays(SocketFraming framing)
    {
        await using var node = await ConnectionNode.StartAsync(
            redis.Server.ConnectionString, $"Sockets:Framing={framing}", "Sockets:Heartbeat=00:00:01", "Sockets:HeartbeatTimeout=00:00:30");
        await using var lively = await ConnectionNode.ConnectRawAsync(node.Address, "lively");
        for (var pings = 0; pings < 3; pings++)
        {
            var ping = await lively.ReadAsync();
            Assert.Equal(ClientFrames.PingOpcode, ping!.Opcode);
            await lively.SendAsync(ClientFrames.Pong(ping.Payload));
        }

        await using var strict = await ConnectionNode.StartAsync(
            redis.Server.ConnectionString, $"Sockets:Framing={framing}", "Sockets:Heartbeat=00:00:01", "Sockets:HeartbeatTimeout=00:00:01");
        await using var silent = await ConnectionNode.ConnectRawAsync(strict.Address, "silent");
        while (await silent.ReadAsync() is { } frame)
        {
            Assert.Equal(ClientFrames.PingOpcode, frame.Opcode);
        }
    }
}
