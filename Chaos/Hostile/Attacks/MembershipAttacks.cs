using System.Globalization;

namespace AspireChat.Chaos.Hostile.Attacks;

internal sealed class NewRooms() : Attack(
    "new-rooms", "joins new rooms as fast as it can, then 60 `GET /api/conversations` at once",
    "Budgets:ConversationsPerSecond, Gateway:RateLimits:ApiPerUser")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        using var half = CancellationTokenSource.CreateLinkedTokenSource(stop);
        half.CancelAfter(TimeSpan.FromSeconds(5));
        var next = 0;
        try
        {
            await attacker.FloodAsync(
                Attacker.Connections,
                _ => EventTargets.Many(20, () => new { type = "join", room = attacker.Name("n" + EventTargets.Next(ref next)) }), half.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Now the lists.
        }
        await attacker.CallAsync(60, _ => new HttpRequestMessage(HttpMethod.Get, "/api/conversations"), stop);
    }
}

internal sealed class JoinLeaveOne() : Attack(
    "join-leave", "joins and leaves the bystanders' room in a loop", "Budgets:ConversationsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        byte[] pair =
        [
            .. HostileSocket.Text(new { type = "join", room = attacker.Hall }), .. HostileSocket.Text(new { type = "leave", room = attacker.Hall }),
        ];
        var batch = HostileSocket.Repeat(pair, 50);
        return attacker.FloodAsync(Attacker.Connections, _ => batch, stop);
    }
}

internal sealed class JoinLeaveMany() : Attack("join-leave-many", "joins and leaves ever new rooms", "Budgets:ConversationsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ =>
            {
                var room = attacker.Name("j" + EventTargets.Next(ref next));
                return (byte[])[.. HostileSocket.Text(new { type = "join", room }), .. HostileSocket.Text(new { type = "leave", room })];
            },
            stop);
    }
}

internal sealed class LeavesOfStrangeRooms() : Attack(
    "leave-strange", "leaves ever new rooms that the user was never in", "Budgets:ConversationsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => EventTargets.Many(20, () => new { type = "leave", room = attacker.Name("l" + EventTargets.Next(ref next)) }), stop);
    }
}

internal sealed class NotJoined() : Attack("not-joined", "sends, types and reads in rooms that were not joined", "Sockets:RefusedPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var room = attacker.Name("never");
        byte[] three =
        [
            .. HostileSocket.Text(new { type = "room", room, content = "c", nonce = "n" }),
            .. HostileSocket.Text(new { type = "typing", room }), .. HostileSocket.Text(new { type = "read", room, seq = 1 }),
        ];
        var batch = HostileSocket.Repeat(three, 20);
        return attacker.FloodAsync(Attacker.Connections, _ => batch, stop);
    }
}

internal sealed class TypingToggles() : Attack(
    "typing", "begins and stops typing in the bystanders' room as fast as it can", "Budgets:FramesPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        byte[] pair =
        [
            .. HostileSocket.Text(new { type = "typing", room = attacker.Hall, active = true }),
            .. HostileSocket.Text(new { type = "typing", room = attacker.Hall, active = false }),
        ];
        var batch = HostileSocket.Repeat(pair, 100);
        return attacker.FloodAsync(Attacker.Connections, _ => batch, stop, attacker.Hall);
    }
}

internal sealed class TypingToMany() : Attack("typing-to-many", "types to ever new users", "Budgets:FramesPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => EventTargets.Many(50, () => new { type = "typing", to = attacker.Name("t" + EventTargets.Next(ref next)) }), stop);
    }
}

internal sealed class ReadCursors() : Attack(
    "read-cursors", "moves cursors forward and back in ever new direct conversations and in the bystanders' room",
    "Budgets:FramesPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => (byte[])
            [
                .. EventTargets.Many(25, () => new { type = "read", to = attacker.Name("c" + EventTargets.Next(ref next)), seq = next % 7 }),
                .. EventTargets.Many(25, () => new { type = "read", room = attacker.Hall, seq = Interlocked.Increment(ref next) % 100 }),
            ],
            stop, attacker.Hall);
    }
}

internal sealed class PresenceFlapping() : Attack(
    "presence-flapping", "8 connections come to each of 10 rooms and are gone after 100 ms, all the time", "Budgets:ConnectsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        Attacker.EachAsync(8, async i =>
        {
            using var socket = await attacker.ConnectAsync(stop, attacker.Name($"flap{i.ToString(CultureInfo.InvariantCulture)}"));
            try
            {
                await socket.WriteAsync(HostileSocket.Text(new { type = "join", room = attacker.Hall }), stop);
                for (var room = 0; room < 10; room++)
                {
                    await socket.SendAsync(new { type = "join", room = attacker.Name($"flat{room.ToString(CultureInfo.InvariantCulture)}") }, stop);
                }

                attacker.Worked();
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stop);
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut; the next one comes.
            }
        }, stop);
}

internal sealed class Vanishing() : Attack(
    "vanishing", "a user online in 8,000 rooms, 200 on each of 40 connections, is gone at once",
    "Sockets:RoomsPerConnection, Presence:Grace")
{
    private List<HostileSocket> _sockets = [];

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) =>
        _sockets = await ManyRooms.JoinAsync(attacker, cancellationToken);

    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        ManyRooms.Leave(_sockets);
        attacker.Worked();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
    }
}

internal sealed class ManyConversations() : Attack(
    "many-conversations", "a member of 8,000 rooms asks for the list of them, 60 times at once", "Gateway:RateLimits:ApiPerUser")
{
    private List<HostileSocket> _sockets = [];

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) =>
        _sockets = await ManyRooms.JoinAsync(attacker, cancellationToken);

    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        await attacker.CallAsync(60, _ => new HttpRequestMessage(HttpMethod.Get, "/api/conversations"), stop);
        ManyRooms.Leave(_sockets);
    }
}

/// <summary>A user in as many rooms as connections allow.</summary>
internal static class ManyRooms
{
    private const int RoomsPerConnection = 200;

    public static async Task<List<HostileSocket>> JoinAsync(Attacker attacker, CancellationToken cancellationToken)
    {
        var joining = Enumerable.Range(0, Attacker.Connections).Select(async i =>
        {
            var socket = await attacker.ConnectAsync(cancellationToken);
            byte[] all =
            [
                .. Enumerable.Range(0, RoomsPerConnection).SelectMany(room =>
                    HostileSocket.Text(new { type = "join", room = attacker.Name(string.Create(CultureInfo.InvariantCulture, $"x{i}-{room}")) })),
            ];
            await socket.WriteAsync(all, cancellationToken);
            for (var room = 0; room < RoomsPerConnection; room++)
            {
                if (await socket.ExpectAsync("joined", cancellationToken) is null)
                {
                    break;
                }
            }
            return socket;
        });
        return [.. await Task.WhenAll(joining)];
    }

    public static void Leave(List<HostileSocket> sockets)
    {
        foreach (var socket in sockets)
        {
            socket.Dispose();
        }
    }
}
