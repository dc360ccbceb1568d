using System.Diagnostics;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// The same traffic against AspireChat and against a SignalR application, in turn on one machine, so that conditions are the same. All of
/// it happens on the calling thread, so no other code of this process runs while it measures.
/// </summary>
internal static class LoadCommand
{
    private const string Ours = "AspireChat";
    private static readonly TimeSpan OpenDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1.5);

    /// <summary>Memory is read after this long, when the garbage of connecting has been collected.</summary>
    private static readonly TimeSpan IdleSettle = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan WarmUpEach = TimeSpan.FromSeconds(9);

    private static int _cells;

    public static int Run(string[] args)
    {
        LoadOptions options;
        try
        {
            options = LoadOptions.Parse(args);
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"{e.Message}\nUsage: {LoadOptions.Usage}");
            return 2;
        }
        var busy = options.Scenarios.Where(scenario => !scenario.IsIdle).ToList();
        var idle = options.Scenarios.Where(scenario => scenario.IsIdle).ToList();
        var starters = Starters(options);
        var progress = new ProgressBar(options.Rounds * options.Ways.Count * options.Scenarios.Count * starters.Count);

        List<Measurement> measurements = [];
        if (busy.Count > 0)
        {
            Measure(options, busy, starters, measurements, progress);
        }

        List<IdleMeasurement> memories = [];
        for (var round = 0; round < options.Rounds && idle.Count > 0; round++)
        {
            foreach (var (scenario, way) in idle.SelectMany(scenario => options.Ways.Select(way => (scenario, way))))
            {
                memories.AddRange(InTurn(starters, round).Select(start => MeasureIdle(start, scenario, way, progress)));
            }
        }
        progress.Done();

        var report = new LoadReport(options, Row.Of(measurements), memories);
        Console.WriteLine(report.Markdown());
        if (options.Output is { } output)
        {
            Directory.CreateDirectory(output);
            File.WriteAllText(Path.Combine(output, "load.md"), report.Markdown());
            File.WriteAllText(Path.Combine(output, "load.svg"), LoadChart.Svg(report));
            Console.Error.WriteLine($"written: {output}/load.md, load.svg");
        }
        return 0;
    }

    private static List<Func<SystemUnderTest>> Starters(LoadOptions options)
    {
        List<Func<SystemUnderTest>> starters = [() => AspireChatSystem.Start(Ours, new Dictionary<string, string>())];
        foreach (var variant in options.Variants)
        {
            starters.Add(() => AspireChatSystem.Start(variant.Name, variant.Environment));
        }

        if (options.Peer)
        {
            starters.Add(() => SignalRSystem.Start());
        }

        return starters;
    }

    private static void Measure(
        LoadOptions options, List<Scenario> scenarios, List<Func<SystemUnderTest>> starters, List<Measurement> measurements,
        ProgressBar progress)
    {
        List<SystemUnderTest> systems = [];
        try
        {
            foreach (var start in starters)
            {
                systems.Add(start());
            }

            WarmUp(options, systems, progress);
            for (var round = 0; round < options.Rounds; round++)
            {
                foreach (var (scenario, way) in scenarios.SelectMany(scenario => options.Ways.Select(way => (scenario, way))))
                {
                    foreach (var system in InTurn(systems, round))
                    {
                        progress.Next($"{scenario.Name} {way} {system.Name}");
                        measurements.Add(Measure(system, scenario, way, options.Warmup, options.Window));
                    }
                }
            }
        }
        finally
        {
            foreach (var system in systems)
            {
                system.Dispose();
            }
        }
    }

    /// <summary>
    /// Warms the system up. A server runs for days, and the runtime compiles mostly during the first minute. Without a warm-up, compilation
    /// was a fifth of a row's CPU, in services that had nothing else to do.
    /// </summary>
    private static void WarmUp(LoadOptions options, IReadOnlyList<SystemUnderTest> systems, ProgressBar progress)
    {
        foreach (var scenario in Scenario.All.Where(scenario => Scenario.Quick.Contains(scenario.Name) && scenario.Rate > 0))
        {
            foreach (var (system, way) in systems.SelectMany(system => options.Ways.Select(way => (system, way))))
            {
                progress.Say($"warming up: {scenario.Name} {way} {system.Name}");
                Measure(system, scenario, way, WarmUpEach, TimeSpan.FromSeconds(1));
            }
        }
    }

    /// <summary>The system that went first in one round goes last in the next.</summary>
    private static IEnumerable<T> InTurn<T>(IReadOnlyList<T> systems, int round) =>
        Enumerable.Range(0, systems.Count).Select(i => systems[(i + round) % systems.Count]);

    private static Measurement Measure(SystemUnderTest system, Scenario scenario, Way way, TimeSpan warmup, TimeSpan window)
    {
        var prefix = $"b{++_cells}";
        using var fleet = new Fleet(system.Dialect, system.Servers(way), system.Token, prefix);
        fleet.Open(scenario.Connections, OpenDeadline);
        if (!scenario.IsDirect)
        {
            fleet.Join(Joins(scenario, prefix), OpenDeadline);
        }

        fleet.Idle(Settle);

        List<(Dictionary<Role, double> Cpu, double Own)> marks = [];
        var traffic = fleet.Run(scenario, warmup, window, () => marks.Add((system.Cpu(), Processes.OwnCpu())));
        if (traffic.Closed + traffic.Refused > 0)
        {
            Console.Error.WriteLine($"\n{system.Name}, {scenario.Name}, {way}: {fleet.FirstFault}");
        }

        var cpu = marks[1].Cpu.ToDictionary(role => role.Key, role => role.Value - marks[0].Cpu[role.Key]);
        return new Measurement(scenario, way, system.Name, traffic, cpu, marks[1].Own - marks[0].Own);
    }

    private static IdleMeasurement MeasureIdle(Func<SystemUnderTest> start, Scenario scenario, Way way, ProgressBar progress)
    {
        using var system = start();
        progress.Next($"{scenario.Name} {way} {system.Name}");
        // The first connections load code and fill pools that later connections share.
        using (var first = new Fleet(system.Dialect, system.Servers(way), system.Token, "w"))
        {
            first.Open(200, OpenDeadline);
            first.Idle(Settle);
        }
        using var fleet = new Fleet(system.Dialect, system.Servers(way), system.Token, "i");
        fleet.Idle(Settle);
        var before = system.Memory();
        fleet.Open(scenario.Connections, OpenDeadline);
        fleet.Idle(IdleSettle);
        var open = system.Memory();
        fleet.Join(Joins(scenario, "i"), OpenDeadline);
        fleet.Idle(IdleSettle);
        var joined = system.Memory();
        double Each(Dictionary<Role, long> now, Role role) => (now[role] - before[role]) / 1024.0 / scenario.Connections;
        return new IdleMeasurement(scenario, way, system.Name, Each(open, Role.Node), Each(open, Role.Gateway), Each(joined, Role.Node),
            Each(joined, Role.Gateway));
    }

    private static List<(int, string)> Joins(Scenario scenario, string prefix) =>
    [
        .. Enumerable.Range(0, scenario.Connections).Select(index => (index, Fleet.RoomOf(prefix, index / scenario.Members))),
    ];
}

/// <summary>The progress of a long command, written to the error stream.</summary>
internal sealed class ProgressBar(int steps)
{
    private const int Width = 30;

    private readonly long _started = Stopwatch.GetTimestamp();
    private int _done = -1;

    public void Next(string what)
    {
        _done++;
        var share = (double)_done / steps;
        var left = Stopwatch.GetElapsedTime(_started).TotalMinutes * (1 - share) / share;
        var bar = new string('#', (int)(share * Width)).PadRight(Width, '.');
        Write($"[{bar}] {_done}/{steps} {what}{(_done == 0 ? "" : $", about {left:N0} min left")}");
    }

    public void Say(string what) => Write(what);

    public void Done() =>
        Write($"[{new string('#', Width)}] {steps}/{steps} in {Stopwatch.GetElapsedTime(_started).TotalMinutes:N1} min\n");

    private static void Write(string line)
    {
        if (Console.IsErrorRedirected)
        {
            Console.Error.WriteLine(line);
        }
        else
        {
            Console.Error.Write($"\r{line.PadRight(110)}");
        }
    }
}
