using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using AspireChat.Servers;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// The same traffic against AspireChat, a SignalR application and the limits, in turn on one machine, so that conditions are the same. All
/// of it happens on the calling thread, so no other code of this process runs while it measures.
/// </summary>
internal static class LoadCommand
{
    private static readonly TimeSpan OpenDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1.5);

    private static int _cells;

    /// <summary>The operator has asked the run to end. The measurement under way is finished first.</summary>
    private static volatile bool _isStopped;

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
        List<Measurement> measurements = [];
        List<RestMeasurement> rests = [];
        string? fault = null;
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            Measure(options, measurements, rests);
        }
        catch (Exception e) when (e is InvalidOperationException or ServerException)
        {
            // A system did not start, has turned its clients away, or the operator ended the run. What was measured before is shown, but
            // not kept.
            fault = e.Message;
        }

        var report = new LoadReport(options, Row.Of(measurements, LoadReport.Peer), rests);
        Console.WriteLine(report.Markdown());
        if (fault is not null)
        {
            Console.Error.WriteLine($"The run has ended early: {fault}");
            return 1;
        }

        if (options.Output is { } output)
        {
            Directory.CreateDirectory(output);
            File.WriteAllText(Path.Combine(output, "load.md"), report.Markdown());
            File.WriteAllText(Path.Combine(output, "load.svg"), LoadChart.Svg(report));
            File.WriteAllText(Path.Combine(output, "load.csv"), Raw(measurements, rests));
            Console.Error.WriteLine($"written: {output}/load.md, load.svg, load.csv");
        }
        return 0;
    }

    /// <summary>Every measurement, one figure a line.</summary>
    public static string Raw(IEnumerable<Measurement> measurements, IEnumerable<RestMeasurement> rests)
    {
        var text = new StringBuilder("round,scenario,way,system,figure,value\n");
        foreach (var each in measurements)
        {
            void Line(string figure, double value) => Append(text, each.Round, each.Scenario.Name, each.Way, each.System, figure, value);
            foreach (var role in each.Cpu.Select(process => process.Role).Distinct())
            {
                Line($"{role} CPU-s per million", each.PerMillion(role));
            }
            Line("deliveries per second", each.Traffic.WindowReceived / each.Traffic.Seconds);
            Line("p50 ms", each.Traffic.P50);
            Line("p99 ms", each.Traffic.P99);
            Line("lost", each.Traffic.Expected - each.Traffic.Received);
            Line("closed or refused", each.Traffic.Closed + each.Traffic.Refused);
            Line("generator cores", each.GeneratorCpu / each.Traffic.Seconds);
        }
        foreach (var each in rests)
        {
            void Line(string scenario, string figure, double value) =>
                Append(text, each.Round, scenario, each.Way, each.System, figure, value);
            foreach (var (index, process) in each.Empty.Index())
            {
                Line("rest-0", $"{process.Role} {index} CPU ms/s", process.Value);
            }
            foreach (var (index, process) in each.Idle.Index())
            {
                Line("rest-4000", $"{process.Role} {index} CPU ms/s", process.Value);
            }
            foreach (var (role, kibibytes) in each.Slope)
            {
                Line("rest-4000", $"{role} KiB per connection", kibibytes);
            }
            foreach (var (role, kibibytes) in each.AfterStorm ?? new Dictionary<Role, double>())
            {
                Line("rest-4000", $"{role} KiB per connection after a storm", kibibytes);
            }
        }
        return text.ToString();
    }

    private static void Append(StringBuilder text, int round, string scenario, Way way, string system, string figure, double value) =>
        text.Append(CultureInfo.InvariantCulture, $"{round},{scenario},{way},{system},{figure},{value:0.####}\n");

    /// <summary>A quick run leaves out the way that has less in it.</summary>
    private static IEnumerable<Way> RestWays(LoadOptions options) => options.IsQuick ? [options.Ways[^1]] : options.Ways;

    private static List<Func<SystemUnderTest>> Starters(LoadOptions options, Way? only = null)
    {
        List<Func<SystemUnderTest>> starters = [() => AspireChatSystem.Start(LoadReport.Ours, new Dictionary<string, string>())];
        foreach (var variant in options.Variants)
        {
            starters.Add(() => AspireChatSystem.Start(variant.Name, variant.Environment, variant.Build));
        }

        if (options.Peer)
        {
            starters.Add(() => SignalRSystem.Start());
        }

        if (options.Limits && options.Ways.Contains(Way.Direct) && only != Way.Gateway)
        {
            starters.Add(() => LoopSystem.Start());
            if (NchanSystem.IsInstalled && !options.IsQuick)
            {
                starters.Add(() => NchanSystem.Start());
            }
        }

        return starters;
    }

    private static void Measure(LoadOptions options, List<Measurement> measurements, List<RestMeasurement> rests)
    {
        if (options.Scenarios.Count > 0)
        {
            MeasureTraffic(options, measurements);
        }

        for (var round = 0; round < options.RestRounds && options.Rest; round++)
        {
            foreach (var way in RestWays(options))
            {
                ThrowIfStopped();
                rests.AddRange(Rest.Measure(InTurn(Starters(options, way), round), way, round, !options.IsQuick, Say));
            }
        }
    }

    private static void MeasureTraffic(LoadOptions options, List<Measurement> measurements)
    {
        List<SystemUnderTest> systems = [];
        try
        {
            foreach (var start in Starters(options))
            {
                systems.Add(start());
            }

            var cells = options.Scenarios.SelectMany(scenario => options.Ways.Select(way => (scenario, way))).ToList();
            var perRound = cells.Sum(cell => systems.Count(system => system.Takes(cell.scenario, cell.way)));
            var progress = new ProgressBar(options.Rounds * perRound);
            WarmUp(options, systems, progress);
            for (var round = 0; round < options.Rounds; round++)
            {
                foreach (var (scenario, way) in cells)
                {
                    foreach (var system in InTurn([.. systems.Where(system => system.Takes(scenario, way))], round))
                    {
                        progress.Next($"{scenario.Name} {way} {system.Name}");
                        measurements.Add(Measure(system, round, scenario, way, options.Warmup, options.Window));
                    }
                }
            }
            progress.Done();
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
    /// was a fifth of a row's CPU, in services that had nothing else to do. Traffic through the gateway warms the nodes too.
    /// </summary>
    private static void WarmUp(LoadOptions options, IReadOnlyList<SystemUnderTest> systems, ProgressBar progress)
    {
        foreach (var scenario in Scenario.All.Where(scenario => Scenario.WarmUp.Contains(scenario.Name)))
        {
            foreach (var system in systems)
            {
                var way = options.Ways.Last(way => system.Takes(scenario, way));
                progress.Say($"warming up: {scenario.Name} {way} {system.Name}");
                Measure(system, round: 0, scenario, way, options.WarmUpEach, TimeSpan.FromSeconds(1));
            }
        }
    }

    /// <summary>The system that went first in one round goes last in the next.</summary>
    private static IEnumerable<T> InTurn<T>(IReadOnlyList<T> systems, int round) =>
        Enumerable.Range(0, systems.Count).Select(i => systems[(i + round) % systems.Count]);

    private static Measurement Measure(SystemUnderTest system, int round, Scenario scenario, Way way, TimeSpan warmup, TimeSpan window)
    {
        ThrowIfStopped();
        using var fleet = new Fleet(system.Dialect, system.Servers(way), system.Token, $"b{++_cells}");
        fleet.Open(scenario.Connections, OpenDeadline, scenario.Members);
        if (!scenario.IsDirect)
        {
            fleet.Join(0, scenario.Members, OpenDeadline);
        }

        fleet.Idle(Settle);

        List<(List<(Role Role, double Value)> Cpu, double Own)> marks = [];
        var traffic = fleet.Run(scenario, warmup, window, () => marks.Add((system.Cpu(), Processes.OwnCpu())));
        if (traffic.Closed + traffic.Refused > 0)
        {
            Console.Error.WriteLine($"\n{system.Name}, {scenario.Name}, {way}: {fleet.FirstFault}");
        }

        List<(Role, double)> cpu = [.. marks[0].Cpu.Zip(marks[1].Cpu, (begin, end) => (begin.Role, end.Value - begin.Value))];
        return new Measurement(round, scenario, way, system.Name, traffic, cpu, marks[1].Own - marks[0].Own);
    }

    private static void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        _isStopped = true;
    }

    private static void ThrowIfStopped()
    {
        if (_isStopped)
        {
            throw new InvalidOperationException("it was asked to stop.");
        }
    }

    private static void Say(string what) => Console.Error.WriteLine(what);
}
