using System.Diagnostics;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// Many connections and mixed traffic for half an hour: rooms, direct messages, typing, read cursors, and users who disconnect and return.
/// <see cref="SoakReport"/> says when it has passed.
/// </summary>
internal static class SoakCommand
{
    public const int RoomSize = 50;

    private const int RoomMessagesPerSecond = 60;
    private const int DirectPerSecond = 20;
    private const int TypingPerSecond = 20;
    private const int ReadsPerSecond = 50;
    private const int VisitsPerSecond = 5;

    /// <summary>
    /// A gateway holds two descriptors for each socket. This many of its 20,000 are left for everything else. Sockets beyond that connect
    /// to the nodes directly.
    /// </summary>
    private const int MostThroughGateway = 8_000;

    private static readonly TimeSpan Sample = TimeSpan.FromMinutes(1);

    /// <summary>The traffic in words.</summary>
    public static string Traffic { get; } =
        $"Rooms of {RoomSize}; per second {RoomMessagesPerSecond} room messages, {DirectPerSecond} direct, {TypingPerSecond} typing, " +
        $"{ReadsPerSecond} read cursors, {VisitsPerSecond} visitors.";

    public static int Run(string[] args)
    {
        SoakOptions options;
        try
        {
            options = SoakOptions.Parse(args);
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"{e.Message}\nUsage: {SoakOptions.Usage}");
            return 2;
        }
        var connections = options.Connections;
        using var system = AspireChatSystem.Start("AspireChat", new Dictionary<string, string>());
        var behind = Math.Min(connections, MostThroughGateway);
        List<Uri> servers = behind == connections
            ? [system.Gateway]
            : [.. Enumerable.Repeat(system.Gateway, behind * system.Nodes.Count / (connections - behind)), .. system.Nodes];
        using var fleet = new Fleet(system.Dialect, servers, system.Token, "s");
        fleet.Open(connections, TimeSpan.FromMinutes(3));
        fleet.Join(0, RoomSize, TimeSpan.FromMinutes(3));
        fleet.Idle(TimeSpan.FromSeconds(10));

        var (expected, samples) = Send(system, fleet, TimeSpan.FromMinutes(options.Minutes));
        var traffic = new SoakTraffic(expected, fleet.Received, fleet.Closed, fleet.Refused, fleet.FirstFault,
            fleet.Latencies.Milliseconds(0.5), fleet.Latencies.Milliseconds(0.99));
        var report = new SoakReport(options, traffic, samples);
        Console.WriteLine(report.Markdown());
        if (options.Output is { } output)
        {
            Directory.CreateDirectory(output);
            File.WriteAllText(Path.Combine(output, "soak.md"), report.Markdown());
            File.WriteAllText(Path.Combine(output, "soak.svg"), report.Svg());
        }
        return report.HasPassed ? 0 : 1;
    }

    /// <summary>Sends for the given time. Returns how many deliveries that must cause.</summary>
    private static (long Expected, List<SoakSample> Samples) Send(SystemUnderTest system, Fleet fleet, TimeSpan time)
    {
        var count = fleet.Connections.Count;
        // Each user has a sender for its room and one for its neighbour in the list. They are prepared once.
        var rooms = fleet.Connections.Select(each => fleet.SenderOf(each, false, Fleet.RoomOf("s", each.Index / RoomSize))).ToArray();
        var direct = fleet.Connections
            .Select(each => fleet.SenderOf(each, true, fleet.Connections[(each.Index + 1) % count].User)).ToArray();
        var random = new Random(1);
        long expected = 0, sent = 0;
        // A short run is sampled as often as a long one, not as seldom.
        var interval = TimeSpan.FromSeconds(Math.Min(Sample.TotalSeconds, time.TotalSeconds / 9));
        List<SoakSample> samples = [new(0, system.Memory())];
        var progress = new ProgressBar((int)Math.Round(time / interval));
        var (started, visits) = (Stopwatch.GetTimestamp(), 0);
        var done = new Dictionary<string, double>();

        // How many events of a kind are due now and were not sent yet.
        int Due(string kind, int perSecond)
        {
            var total = Stopwatch.GetElapsedTime(started).TotalSeconds * perSecond;
            var due = (int)(total - done.GetValueOrDefault(kind));
            done[kind] = done.GetValueOrDefault(kind) + due;
            return due;
        }

        while (Stopwatch.GetElapsedTime(started) < time)
        {
            for (var i = Due("room", RoomMessagesPerSecond); i > 0; i--, sent++)
            {
                if (fleet.TrySend(rooms[random.Next(count)], int.MaxValue))
                {
                    expected += RoomSize;
                }
            }

            for (var i = Due("dm", DirectPerSecond); i > 0; i--, sent++)
            {
                if (fleet.TrySend(direct[random.Next(count)], int.MaxValue))
                {
                    expected += 2;
                }
            }

            for (var i = Due("typing", TypingPerSecond); i > 0; i--)
            {
                Say(fleet, random.Next(count), room => $$"""{"type":"typing","room":"{{room}}"}""");
            }

            for (var i = Due("read", ReadsPerSecond); i > 0; i--)
            {
                Say(fleet, random.Next(count), room => $$"""{"type":"read","room":"{{room}}","seq":{{1 + sent * RoomSize / count}}}""");
            }

            for (var i = Due("visit", VisitsPerSecond); i > 0; i--)
            {
                Visit(system, visits++);
            }

            fleet.Poll(5);
            if (Stopwatch.GetElapsedTime(started) < interval * samples.Count)
            {
                continue;
            }

            samples.Add(new SoakSample(Stopwatch.GetElapsedTime(started).TotalMinutes, system.Memory()));
            progress.Next($"{fleet.Received:N0} of {expected:N0} deliveries");
        }
        for (var last = Stopwatch.GetTimestamp(); fleet.Received < expected && Stopwatch.GetElapsedTime(last) < TimeSpan.FromSeconds(10);)
        {
            fleet.Poll(20);
        }

        progress.Done();
        return (expected, samples);
    }

    private static void Say(Fleet fleet, int index, Func<string, string> frame) =>
        fleet.Connections[index].Send(Dialect.Frame(frame(Fleet.RoomOf("s", index / RoomSize))));

    /// <summary>A user connects, gets its welcome and drops the connection. It is in no room, so it expects no deliveries.</summary>
    private static void Visit(SystemUnderTest system, int number)
    {
        using var visitor = new Fleet(system.Dialect, [system.Gateway], system.Token, $"v{number}");
        visitor.Open(1, TimeSpan.FromSeconds(30));
    }
}
