using System.Globalization;

namespace AspireChat.Chaos.Hostile.Attacks;

internal sealed class EndlessEdits() : Attack(
    "edits", "edits one message of the bystanders' room without end, then deletes it", "Sockets:EventsPerSecond")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var target = await EventTargets.OwnAsync(attacker, stop);
        var next = 0;
        try
        {
            await attacker.FloodAsync(
                4,
                _ => HostileSocket.Text(new
                {
                    type = "edit", room = attacker.Hall, target, content = new string('€', 8_000), nonce = Number(ref next),
                }),
                stop, attacker.Hall, pause: TimeSpan.FromMilliseconds(40));
        }
        finally
        {
            using var socket = await attacker.JoinAsync(attacker.Hall, CancellationToken.None);
            await socket.SendAsync(new { type = "delete", room = attacker.Hall, target, nonce = "end" }, CancellationToken.None);
        }
    }

    private static string Number(ref int next) => Interlocked.Increment(ref next).ToString(CultureInfo.InvariantCulture);
}

internal sealed class LargeTails() : Attack(
    "large-tails", "messages of 24 KB as fast as the limit allows, to ever other rooms", "Sockets:EventsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var content = new string('€', 8_000);
        return Attacker.EachAsync(8, async i =>
        {
            for (var room = 0; ; room++)
            {
                var name = attacker.Name($"tail{i}-{room}");
                using var socket = await attacker.JoinAsync(name, stop);
                for (var n = 0; n < 20; n++)
                {
                    await socket.SendAsync(
                        new { type = "room", room = name, content, nonce = n.ToString(CultureInfo.InvariantCulture) }, stop);
                    attacker.Worked();
                    await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop);
                }
            }
        }, stop);
    }
}

internal sealed class RefusedEdits() : Attack(
    "refused-edits", "edits of the bystanders' messages at full speed", "Budgets:AttemptsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => EventTargets.Many(20, () => new
            {
                type = "edit", room = attacker.Hall, target = 1, content = "mine", nonce = EventTargets.Next(ref next),
            }),
            stop, attacker.Hall);
    }
}

internal sealed class RefusedReactions() : Attack("refused-reactions", "reactions to events that do not exist", "Budgets:AttemptsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => EventTargets.Many(20, () => new
            {
                type = "react", room = attacker.Hall, target = 1 << 30, emoji = "👍", nonce = EventTargets.Next(ref next),
            }),
            stop, attacker.Hall);
    }
}

internal sealed class Repeats() : Attack("repeats", "one message with the same nonce at full speed", "Budgets:AttemptsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var batch = HostileSocket.Repeat(HostileSocket.Text(new { type = "room", room = attacker.Hall, content = "again", nonce = "n" }), 50);
        return attacker.FloodAsync(Attacker.Connections, _ => batch, stop, attacker.Hall);
    }
}

internal sealed class NewEmojis() : Attack(
    "new-emojis", "ever new emojis of 64 characters on one message of the bystanders' room", "Sockets:EventsPerSecond")
{
    public override async Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var target = await EventTargets.OwnAsync(attacker, stop);
        var next = 0;
        await attacker.FloodAsync(
            4,
            _ => HostileSocket.Text(new
            {
                type = "react", room = attacker.Hall, target, emoji = EventTargets.Next(ref next).PadLeft(64, '€'), nonce = EventTargets.Next(ref next),
            }),
            stop, attacker.Hall, pause: TimeSpan.FromMilliseconds(40));
    }
}

internal sealed class ToggledReactions() : Attack(
    "toggled-reactions", "sets and takes back one reaction, at full speed on all connections", "Budgets:AttemptsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            i => EventTargets.Many(10, () => new
            {
                type = "react", room = attacker.Hall, target = 1, emoji = "👍", remove = i % 2 == 0, nonce = EventTargets.Next(ref next),
            }),
            stop, attacker.Hall);
    }
}

internal sealed class EventFlood() : Attack(
    "events", "new messages to the bystanders' room at full speed", "Sockets:EventsPerSecond, Budgets:AttemptsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => EventTargets.Many(20, () => new { type = "room", room = attacker.Hall, content = "!", nonce = EventTargets.Next(ref next) }),
            stop, attacker.Hall);
    }
}

internal sealed class NewDirects() : Attack("new-directs", "direct messages to ever new users", "Sockets:EventsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => EventTargets.Many(20, () => new { type = "dm", to = attacker.Name("v" + EventTargets.Next(ref next)), content = "hi", nonce = "n" }),
            stop);
    }
}

internal sealed class UnwantedDirects() : Attack("unwanted-directs", "direct messages of 24 KB to a bystander", "Sockets:EventsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var content = new string('€', 8_000);
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => HostileSocket.Text(new { type = "dm", to = attacker.Hall + "-0", content, nonce = EventTargets.Next(ref next) }),
            stop, pause: TimeSpan.FromMilliseconds(50));
    }
}

internal sealed class OldRevisions() : Attack(
    "old-revisions", "edits of messages that have left the tail, at full speed", "Budgets:AttemptsPerSecond")
{
    private string _room = "";

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) =>
        _room = await attacker.FilledRoomAsync(1_200, 4, cancellationToken);

    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            i => EventTargets.Many(20, () => new
            {
                type = i % 2 == 0 ? "edit" : "delete", room = _room, target = 1 + i, content = "mine", nonce = EventTargets.Next(ref next),
            }),
            stop, _room);
    }
}

/// <summary>What event attacks have in common.</summary>
internal static class EventTargets
{
    public static string Next(ref int number) => Interlocked.Increment(ref number).ToString(CultureInfo.InvariantCulture);

    /// <summary>Several frames in one write, each with its own nonce.</summary>
    public static byte[] Many(int count, Func<object> frame) =>
        [.. Enumerable.Range(0, count).SelectMany(_ => HostileSocket.Text(frame()))];

    /// <summary>The seq of a message of the attacker's own in the bystanders' room.</summary>
    public static async Task<long> OwnAsync(Attacker attacker, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var socket = await attacker.JoinAsync(attacker.Hall, cancellationToken);
            await socket.SendAsync(new { type = "room", room = attacker.Hall, content = "mine", nonce = "own" }, cancellationToken);
            if (await socket.ExpectAsync("ack", cancellationToken) is { } ack)
            {
                return ack.GetProperty("seq").GetInt64();
            }

            // Cut: among many attackers that happens.
            await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System, cancellationToken);
        }
    }
}
