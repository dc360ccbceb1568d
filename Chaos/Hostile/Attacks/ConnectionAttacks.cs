using System.Text;
using AspireChat.WebSockets;

namespace AspireChat.Chaos.Hostile.Attacks;

internal sealed class Reconnects() : Attack("reconnects", "connects and disconnects as fast as it can", "Budgets:ConnectsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        ConnectionLoops.RunAsync(attacker, Attacker.Connections, _ => Task.CompletedTask, stop);
}

internal sealed class UnsolicitedCloses() : Attack(
    "closes", "close frames at once after the handshake, with all kinds of codes", "Budgets:ConnectsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        byte[][] closes = [[], [3], [0x03, 0xE8], [0x03, 0xED], [0x03, 0xE8, 0xFF], [0x0F, 0xA8, .. new byte[120]]];
        var next = 0;
        return ConnectionLoops.RunAsync(
            attacker, Attacker.Connections,
            socket => socket.WriteAsync(
                HostileSocket.Frame(FrameHeader.Close, closes[(Interlocked.Increment(ref next) & int.MaxValue) % closes.Length]), stop),
            stop);
    }
}

internal sealed class HalfOpenSockets() : Attack(
    "half-open", "40 connections in the bystanders' room that never read, while a friend fills it",
    "Sockets:OutboundBytes, Budgets:NodeOutboundBytes")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var content = new string('€', 8_000);
        var next = 0;
        var idle = Attacker.EachAsync(Attacker.Connections, async _ =>
        {
            using var socket = await attacker.JoinAsync(attacker.Hall, stop);
            attacker.Worked();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }, stop);
        var filling = Attacker.EachAsync(1, async _ =>
        {
            using var socket = await attacker.JoinAsync(attacker.Hall, stop, attacker.Name("friend"));
            var reading = socket.DrainAsync(stop);
            while (!reading.IsCompleted)
            {
                await socket.SendAsync(new { type = "room", room = attacker.Hall, content, nonce = EventTargets.Next(ref next) }, stop);
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop);
            }
        }, stop);
        return Task.WhenAll(idle, filling);
    }
}

internal sealed class SlowHandshakes() : Attack(
    "slow-handshakes", "500 connections send a header a byte a second", "RequestHeadersTimeout (10 s)")
{
    private static readonly byte[] Head = Encoding.ASCII.GetBytes("GET /ws HTTP/1.1\r\nHost: chat\r\nX-Slow: " + new string('s', 1_000));

    public override Task RunAsync(Attacker attacker, CancellationToken stop) => ConnectionLoops.SlowlyAsync(attacker, 500, Head, 20, stop);
}

internal sealed class SilentConnections() : Attack("silent", "2,000 TCP connections that say nothing", "KeepAliveTimeout")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop) => ConnectionLoops.SlowlyAsync(attacker, 2_000, [], 0, stop);
}

internal sealed class SlowBodies() : Attack(
    "slow-bodies", "200 `POST` calls whose body comes a byte a second", "MinRequestBodyDataRate")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var token = await attacker.TokenAsync(attacker.User, stop);
        var head = Encoding.ASCII.GetBytes(
            $"POST /api/rooms/{attacker.Hall}/messages HTTP/1.1\r\nHost: chat\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            + "Content-Length: 30000\r\n\r\n" + new string('{', 1_000));
        await ConnectionLoops.SlowlyAsync(attacker, 200, head, head.Length - 990, stop);
    }
}

internal sealed class HugeHeaders() : Attack("huge-headers", "handshakes with 30 KB of headers", "MaxRequestHeadersTotalSize")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var token = await attacker.TokenAsync(attacker.User, stop);
        await attacker.CallAsync(50, _ =>
        {
            var request = ConnectionLoops.Upgrade("/ws", token);
            for (var i = 0; i < 30; i++)
            {
                request.Headers.TryAddWithoutValidation($"X-Huge-{i}", new string('h', 950));
            }

            return request;
        }, stop);
    }
}

internal sealed class FailedHandshakes() : Attack(
    "failed-handshakes", "handshakes that lack what RFC 6455 wants", "Gateway:RateLimits:ConnectsPerAddress")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var token = await attacker.TokenAsync(attacker.User, stop);
        await attacker.CallAsync(50, i =>
        {
            var request = ConnectionLoops.Upgrade("/ws", token);
            request.Headers.Remove((i % 3) switch { 0 => "Sec-WebSocket-Key", 1 => "Sec-WebSocket-Version", _ => "Upgrade" });
            return request;
        }, stop);
    }
}

internal sealed class InvalidTokens() : Attack(
    "invalid-tokens", "sockets and calls with tokens that are wrongly signed, long or no tokens",
    "Gateway:RateLimits:ConnectsPerAddress, ApiPerUser by address")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var parts = (await attacker.TokenAsync(attacker.User, stop)).Split('.');
        string[] tokens = [$"{parts[0]}.{parts[1]}.{new string('A', 43)}", $"{parts[0]}.{new string('A', 12_000)}.{parts[2]}", "x", "a.b.c"];
        await attacker.CallAsync(50, i =>
        {
            var token = tokens[i % tokens.Length];
            if (i % 2 == 0)
            {
                return ConnectionLoops.Upgrade("/ws", token);
            }

            var request = new HttpRequestMessage(HttpMethod.Get, "/api/conversations");
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
            return request;
        }, stop);
    }
}

internal sealed class UnreadAnswers() : Attack(
    "unread-answers", "hundreds of calls for large pages in one write on each connection, answers never read",
    "Gateway:RateLimits:ApiPerUser, MinResponseDataRate")
{
    private string _room = "";

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) =>
        _room = await attacker.FilledRoomAsync(200, 8_000, cancellationToken);

    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var token = await attacker.TokenAsync(attacker.User, stop);
        var call = Encoding.ASCII.GetBytes(
            $"GET /api/rooms/{_room}/messages?limit=200 HTTP/1.1\r\nHost: chat\r\nAuthorization: Bearer {token}\r\n\r\n");
        await ConnectionLoops.DialAsync(attacker, 100, async socket =>
        {
            await socket.WriteAsync(HostileSocket.Repeat(call, 20), stop);
            attacker.Worked();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }, stop);
    }
}

/// <summary>What attacks on connections have in common.</summary>
internal static class ConnectionLoops
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    /// <summary>A connection after the other on each loop.</summary>
    public static async Task RunAsync(Attacker attacker, int loops, Func<HostileSocket, Task> use, CancellationToken stop)
    {
        var token = await attacker.TokenAsync(attacker.User, stop);
        await Attacker.EachAsync(loops, async _ =>
        {
            using var socket = await HostileSocket.ConnectAsync(attacker.Gateway, token, stop);
            attacker.Worked();
            try
            {
                await (socket is null ? Task.CompletedTask : use(socket));
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut; the next one comes.
            }
        }, stop);
    }

    /// <summary>TCP connections without a handshake.</summary>
    public static Task DialAsync(Attacker attacker, int count, Func<HostileSocket, Task> use, CancellationToken stop) =>
        Attacker.EachAsync(count, async _ =>
        {
            using var socket = await HostileSocket.DialAsync(attacker.Gateway, stop);
            try
            {
                await (socket is null ? Task.CompletedTask : use(socket));
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut; the next one comes.
            }
        }, stop);

    /// <summary>The first bytes at once, the others one a second; then nothing.</summary>
    public static Task SlowlyAsync(Attacker attacker, int count, byte[] bytes, int first, CancellationToken stop) =>
        DialAsync(attacker, count, async socket =>
        {
            attacker.Worked();
            await socket.WriteAsync(bytes.AsMemory(..first), stop);
            var reading = socket.DrainAsync(stop);
            for (var i = first; i < bytes.Length && !reading.IsCompleted; i++)
            {
                await socket.WriteAsync(bytes.AsMemory(i, 1), stop);
                await Task.Delay(Between, TimeProvider.System, stop);
            }
            await reading;
        }, stop);

    public static HttpRequestMessage Upgrade(string path, string token)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        return request;
    }
}
