using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Stack;
using AspireChat.Chaos.Traffic;

namespace AspireChat.Chaos;

/// <summary>
/// Loses many connections to one room at once, sends messages, and lets all connections resume at once. Measures how long it takes until
/// the last one has its replay.
/// </summary>
internal static class Storm
{
    public const string Name = "resumed in the reconnect storm";

    private const int Users = 50;
    private const int Missed = 50;
    private const int Together = 50;

    public static async Task<TimeSpan> RunAsync(
        ChatStack stack, int connections, Ledger ledger, CancellationToken stop)
    {
        var room = $"storm-{Guid.NewGuid().ToString("N")[..8]}";
        var tokens = new string[Users];
        for (var i = 0; i < Users; i++)
        {
            tokens[i] = await stack.TokenAsync($"{room}-{i}", stop);
        }

        // All connections join, and the room gets some history.
        using var sender = await ConnectAsync(stack, tokens[0], stop);
        await sender.SendAsync(new { type = "join", room });
        await ExpectAsync(sender, "joined", stop);
        await SayAsync(sender, room, 0, stop);
        var sockets = new List<RawSocket>();
        foreach (var some in Enumerable.Range(0, connections).Chunk(Together))
        {
            sockets.AddRange(await Task.WhenAll(some.Select(i => ComeInAsync(stack, tokens[i % Users], room, stop))));
        }

        foreach (var socket in sockets)
        {
            socket.Dispose();
        }

        await SayAsync(sender, room, Missed, stop);

        var began = TimeProvider.System.GetTimestamp();
        var complete = await Task.WhenAll(Enumerable.Range(0, connections)
            .Select(i => ResumeAsync(stack, tokens[i % Users], room, began, ledger.Durations, stop)));
        var took = TimeProvider.System.GetElapsedTime(began);
        var wrong = complete.Count(right => !right);
        if (wrong > 0)
        {
            var text = $"{wrong} of {connections} connections of the storm did not get exactly the messages that they had missed";
            ledger.Findings.Add(Breach.Lost, text, wrong);
        }
        return took;
    }

    private static async Task<RawSocket> ComeInAsync(ChatStack stack, string token, string room, CancellationToken stop)
    {
        var socket = await ConnectAsync(stack, token, stop);
        await socket.SendAsync(new { type = "join", room });
        await ExpectAsync(socket, "joined", stop);
        return socket;
    }

    private static async Task<bool> ResumeAsync(
        ChatStack stack, string token, string room, long began, Durations durations, CancellationToken stop)
    {
        using var socket = await ConnectAsync(stack, token, stop);
        await socket.SendAsync(new { type = "join", room, since = Missed });
        var next = Missed + 1;
        while (await socket.ReadAsync(stop) is { } frame)
        {
            switch (frame.GetProperty("type").GetString())
            {
                case "room" when frame.GetProperty("seq").GetInt64() != next++:
                    return false;
                case "resumed":
                    durations.Add(Name, TimeProvider.System.GetElapsedTime(began));
                    return frame.GetProperty("complete").GetBoolean() && next == 2 * Missed + 1;
                case "error":
                    return false;
            }
        }
        return false;
    }

    private static async Task SayAsync(RawSocket sender, string room, int from, CancellationToken stop)
    {
        for (var i = 1; i <= Missed; i++)
        {
            await sender.SendAsync(new { type = "room", room, content = $"m{from + i}", nonce = $"m{from + i}" });
            await ExpectAsync(sender, "ack", stop);
        }
    }

    private static async Task ExpectAsync(RawSocket socket, string type, CancellationToken stop)
    {
        while (await socket.ReadAsync(stop) is { } frame)
        {
            if (frame.GetProperty("type").GetString() == type)
            {
                return;
            }
        }
        throw new InvalidOperationException($"The connection ended before '{type}' came.");
    }

    private static async Task<RawSocket> ConnectAsync(ChatStack stack, string token, CancellationToken stop)
    {
        while (true)
        {
            if (await RawSocket.ConnectAsync(stack.Gateway, token, stop) is { } socket)
            {
                return socket;
            }

            stop.ThrowIfCancellationRequested();
        }
    }
}
