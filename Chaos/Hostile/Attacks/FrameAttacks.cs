using AspireChat.WebSockets;

namespace AspireChat.Chaos.Hostile.Attacks;

internal sealed class Pings() : Attack("pings", "WebSocket pings on all connections, as fast as they are read", "Budgets:FramesPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Repeat(HostileSocket.Frame(FrameHeader.Ping, new byte[100]), 200);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop, attacker.Hall);
}

internal sealed class Pongs() : Attack("pongs", "WebSocket pongs that nobody asked for", "Budgets:FramesPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Repeat(HostileSocket.Frame(FrameHeader.Pong, []), 2_000);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop, attacker.Hall);
}

internal sealed class EmptyFragments() : Attack("empty-fragments", "one message in endless empty fragments", "Budgets:FramesPerSecond")
{
    private static readonly byte[] Begin = HostileSocket.Frame(FrameHeader.Text, []);
    private static readonly byte[] Batch = HostileSocket.Repeat(Unfinished(HostileSocket.Frame(FrameHeader.Continuation, [])), 2_000);

    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var begin = Unfinished([.. Begin]);
        await Attacker.EachAsync(Attacker.Connections, async _ =>
        {
            using var socket = await attacker.ConnectAsync(stop);
            try
            {
                await socket.WriteAsync(begin, stop);
                while (true)
                {
                    await socket.WriteAsync(Batch, stop);
                    attacker.Worked();
                }
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut; the next one comes.
            }
        }, stop);
    }

    private static byte[] Unfinished(byte[] frame)
    {
        frame[0] &= 0x7F;
        return frame;
    }
}

internal sealed class PingFrames() : Attack("ping-frames", "the protocol's own pings, answers never read", "Budgets:FramesPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Repeat(HostileSocket.Text(new { type = "ping", @ref = new string('r', 64) }), 200);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop, attacker.Hall, reads: false);
}

internal sealed class BinaryFrames() : Attack("binary", "binary messages, a new connection after each close", "Budgets:ConnectsPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Frame(FrameHeader.Binary, new byte[30_000]);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop);
}

internal sealed class TooLargeFrames() : Attack(
    "too-large", "messages of 200 KB, which are skipped and refused", "Sockets:RefusedPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Frame(FrameHeader.Text, new byte[200_000]);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop);
}

internal sealed class BytesOneByOne() : Attack("byte-by-byte", "frames of the greatest length, a byte in each packet", "Sockets:FrameBytes")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var frame = HostileSocket.Frame(FrameHeader.Text, new byte[32 * 1024]);
        var sent = new int[Attacker.Connections];
        await attacker.FloodAsync(
            Attacker.Connections, i => frame.AsMemory(Interlocked.Increment(ref sent[i]) % frame.Length, 1), stop);
    }
}

internal sealed class HeldFrames() : Attack(
    "held-frames", "on each connection a frame of 32 KB that lacks its last byte", "Sockets:FrameBytes")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var frame = HostileSocket.Frame(FrameHeader.Text, new byte[32 * 1024]);
        await Attacker.EachAsync(Attacker.Connections, async _ =>
        {
            using var socket = await attacker.ConnectAsync(stop);
            try
            {
                await socket.WriteAsync(frame.AsMemory(..^1), stop);
                attacker.Worked();
                await socket.DrainAsync(stop);
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut; the next one comes.
            }
        }, stop);
    }
}

internal sealed class AuthFrames() : Attack(
    "auth-frames", "a valid token in `auth` frames, again and again", "Budgets:ConversationsPerSecond")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var batch = HostileSocket.Repeat(
            HostileSocket.Text(new { type = "auth", token = await attacker.TokenAsync(attacker.User, stop) }), 100);
        await attacker.FloodAsync(Attacker.Connections, _ => batch, stop);
    }
}

internal sealed class ForgedAuthFrames() : Attack(
    "forged-auth", "`auth` frames whose token is 30 KB and wrongly signed", "Budgets:ConversationsPerSecond, Sockets:RefusedPerSecond")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var parts = (await attacker.TokenAsync(attacker.User, stop)).Split('.');
        var forged = $"{parts[0]}.{new string('A', 30_000)}.{parts[2]}";
        var batch = HostileSocket.Repeat(HostileSocket.Text(new { type = "auth", token = forged }), 10);
        await attacker.FloodAsync(Attacker.Connections, _ => batch, stop);
    }
}
