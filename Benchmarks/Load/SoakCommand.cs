using System.Diagnostics;
using System.Globalization;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// Many connections and mixed traffic for minutes: rooms, direct messages, typing, read cursors, and users who disconnect and return. At
/// the end no message may be lost, and memory may not have grown from the middle of the run to its end.
/// </summary>
internal static class SoakCommand
{
    public const string Usage = "soak [--minutes M] [--connections N]";

    private const int RoomSize = 50;
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

    /// <summary>Growth up to this from the middle third to the last is not counted, because pools and caches vary by as much.</summary>
    private const double AllowedGrowth = 0.10;

    /// <summary>A leak of less than this in a third of the run cannot be told from compiled code and growing buffers.</summary>
    private const double AllowedMegabytes = 8;

    private static readonly TimeSpan Sample = TimeSpan.FromSeconds(10);
    private static readonly Role[] Watched = [Role.Node, Role.Gateway, Role.Presence, Role.Persistence, Role.Redis];

    public static int Run(string[] args)
    {
        var (minutes, connections) = (5.0, 10_000);
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            if (args[i] == "--minutes")
            {
                minutes = double.Parse(args[i + 1], CultureInfo.InvariantCulture);
            }
            else if (args[i] == "--connections")
            {
                connections = int.Parse(args[i + 1], CultureInfo.InvariantCulture) / RoomSize * RoomSize;
            }
            else
            {
                Console.Error.WriteLine($"Usage: {Usage}");
                return 2;
            }
        }
        using var system = AspireChatSystem.Start("AspireChat", new Dictionary<string, string>());
        var behind = Math.Min(connections, MostThroughGateway);
        List<Uri> servers = behind == connections
            ? [system.Gateway]
            : [.. Enumerable.Repeat(system.Gateway, behind * system.Nodes.Count / (connections - behind)), .. system.Nodes];
        using var fleet = new Fleet(system.Dialect, servers, system.Token, "s");
        fleet.Open(connections, TimeSpan.FromMinutes(3));
        fleet.Join([.. Enumerable.Range(0, connections).Select(i => (i, Fleet.RoomOf("s", i / RoomSize)))], TimeSpan.FromMinutes(3));
        fleet.Idle(TimeSpan.FromSeconds(10));

        var (expected, samples) = Traffic(system, fleet, TimeSpan.FromMinutes(minutes));
        var lost = expected - fleet.Received;
        var isSteady = Report(connections, minutes, expected, lost, fleet, samples);
        return lost == 0 && fleet.Closed == 0 && isSteady ? 0 : 1;
    }

    /// <summary>Sends for the given time. Returns how many deliveries that must cause.</summary>
    private static (long Expected, List<Dictionary<Role, long>> Samples) Traffic(SystemUnderTest system, Fleet fleet, TimeSpan time)
    {
        var count = fleet.Connections.Count;
        // Each user has a sender for its room and one for its neighbour in the list. They are prepared once.
        var rooms = fleet.Connections.Select(each => fleet.SenderOf(each, false, Fleet.RoomOf("s", each.Index / RoomSize))).ToArray();
        var direct = fleet.Connections
            .Select(each => fleet.SenderOf(each, true, fleet.Connections[(each.Index + 1) % count].User)).ToArray();
        var random = new Random(1);
        long expected = 0, sent = 0;
        List<Dictionary<Role, long>> samples = [];
        var progress = new ProgressBar((int)(time / Sample));
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
            if (Stopwatch.GetElapsedTime(started) < Sample * (samples.Count + 1))
            {
                continue;
            }

            samples.Add(system.Memory());
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

    private static bool Report(
        int connections, double minutes, long expected, long lost, Fleet fleet, List<Dictionary<Role, long>> samples)
    {
        Console.WriteLine($"soak: {connections:N0} connections in rooms of {RoomSize}, {minutes:0.#} min; per second " +
            $"{RoomMessagesPerSecond} room messages, {DirectPerSecond} direct, {TypingPerSecond} typing, {ReadsPerSecond} read cursors, " +
            $"{VisitsPerSecond} visitors");
        Console.WriteLine(Machine.Describe());
        Console.WriteLine($"deliveries {expected:N0}, lost {lost:N0}, connections closed {fleet.Closed:N0}, " +
            $"refused {fleet.Refused:N0} {fleet.FirstFault}");
        Console.WriteLine($"latency p50 {fleet.Latencies.Milliseconds(0.5):N1} ms, p99 {fleet.Latencies.Milliseconds(0.99):N1} ms");
        Console.WriteLine();
        Console.WriteLine("| private memory, least of each third, MiB | first | middle | last | growth, middle to last |");
        Console.WriteLine("|---|---|---|---|---|");
        var isSteady = true;
        foreach (var role in Watched)
        {
            // The minimum of each third is the live memory without uncollected garbage. Pools fill and code is compiled in the first third.
            // Growth that continues after the middle third is a leak.
            double Least(int third) =>
                samples.Skip(samples.Count * third / 3).Take(Math.Max(1, samples.Count / 3)).Min(sample => sample[role]) / 1048576.0;
            var (first, middle, last) = (Least(0), Least(1), Least(2));
            // Redis keeps the tails of conversations and is expected to grow up to their cap.
            if (role != Role.Redis)
            {
                isSteady &= last - middle <= Math.Max(AllowedMegabytes, AllowedGrowth * middle);
            }

            Console.WriteLine($"| {role} | {first:N0} | {middle:N0} | {last:N0} | {last / middle - 1:P1} |");
        }
        Console.WriteLine();
        Console.WriteLine(lost == 0 && fleet.Closed == 0 && isSteady ? "soak passed" : "soak FAILED");
        return isSteady;
    }
}
