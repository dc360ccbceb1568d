namespace AspireChat.Chaos.Hostile.Attacks;

internal sealed class DirectResumes() : Attack(
    "resume-directs", "10 connections, each 60 `resume` frames of 200 direct conversations, over and over",
    "Budgets:ConversationsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var frame = HostileSocket.Text(new
        {
            type = "resume",
            conversations = Enumerable.Range(0, 200).Select(i => new { to = attacker.Name($"d{i}"), since = 0 }),
        });
        var batch = HostileSocket.Repeat(frame, 60);
        return attacker.FloodAsync(10, _ => batch, stop);
    }
}

internal sealed class RoomResumes() : Attack(
    "resume-rooms", "a member of 200 rooms resumes all of them on all connections at once, again and again",
    "Budgets:ConversationsPerSecond")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var frame = HostileSocket.Text(new
        {
            type = "resume",
            conversations = Enumerable.Range(0, 200).Select(i => new { room = attacker.Name($"r{i}"), since = 0 }),
        });
        await Attacker.EachAsync(Attacker.Connections, async _ =>
        {
            using var socket = await attacker.ConnectAsync(stop);
            try
            {
                await socket.WriteAsync(frame, stop);
                attacker.Worked();
                await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, stop);
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut; the next one comes.
            }
        }, stop);
    }
}

internal sealed class WrongResumes() : Attack(
    "resume-wrong", "`resume` with a `since` far above the head and with epochs that never were", "Budgets:ConversationsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var frame = HostileSocket.Text(new
        {
            type = "resume",
            conversations = Enumerable.Range(0, 200).Select(i => i % 2 == 0
                ? new { to = attacker.Name($"d{i}"), since = 1L << 53, epoch = "none" }
                : new { to = attacker.Name($"d{i}"), since = 0L, epoch = "none" }),
        });
        var batch = HostileSocket.Repeat(frame, 10);
        return attacker.FloodAsync(Attacker.Connections, _ => batch, stop);
    }
}

internal sealed class UnreadReplays() : Attack(
    "unread-replays", "6 users join a room of 560 messages of 24 KB with `since:0` on 20 connections each and never read",
    "Budgets:ReplayBytesPerSecond, Budgets:NodeOutboundBytes")
{
    private const int Friends = 6;

    private string _room = "";

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) =>
        _room = await attacker.FilledRoomAsync(560, 8_000, cancellationToken);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        Attacker.EachAsync(Friends * 20, async i =>
        {
            using var socket = await attacker.ConnectAsync(stop, attacker.Name($"reader{i % Friends}"));
            try
            {
                await socket.SendAsync(new { type = "join", room = _room, since = 0 }, stop);
                attacker.Worked();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut; the next one comes.
            }
        }, stop);
}

internal sealed class AbandonedReplays() : Attack(
    "abandoned-replays", "joins the same room with `since:0`, and is gone a moment later",
    "Budgets:ReplayBytesPerSecond, Budgets:ConnectsPerSecond")
{
    private string _room = "";

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) =>
        _room = await attacker.FilledRoomAsync(560, 8_000, cancellationToken);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        Attacker.EachAsync(Attacker.Connections, async _ =>
        {
            using var socket = await attacker.ConnectAsync(stop);
            try
            {
                await socket.SendAsync(new { type = "join", room = _room, since = 0 }, stop);
                attacker.Worked();
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop);
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut; the next one comes.
            }
        }, stop);
}

internal sealed class RepeatedReplays() : Attack(
    "repeated-replays", "a connection that reads asks for the same 13 MB again and again", "Budgets:ReplayBytesPerSecond")
{
    private string _room = "";

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) =>
        _room = await attacker.FilledRoomAsync(560, 8_000, cancellationToken);

    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var batch = HostileSocket.Repeat(HostileSocket.Text(new { type = "join", room = _room, since = 0 }), 20);
        return attacker.FloodAsync(Attacker.Connections, _ => batch, stop);
    }
}

internal sealed class ShiftedReplays() : Attack(
    "shifted-replays", "joins with a `since` that is another one each time, so that no page is shared",
    "Budgets:ReplayBytesPerSecond, Hubs:ReplayReads")
{
    private string _room = "";

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) =>
        _room = await attacker.FilledRoomAsync(560, 8_000, cancellationToken);

    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => HostileSocket.Text(new { type = "join", room = _room, since = (Interlocked.Increment(ref next) & int.MaxValue) % 500 }), stop);
    }
}
