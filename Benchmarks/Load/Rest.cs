using System.Diagnostics;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// What one system used in one round without traffic. CPU is in milliseconds per second, memory in KiB (PSS) per connection.
/// </summary>
/// <param name="Empty">CPU by process when nobody is connected, in the window that begins 30 s after the start.</param>
/// <param name="Idle">The same with idle connections, in the window that begins 30 s after the last of them joined.</param>
/// <param name="Slope">Growth of memory from the few connections to the many, by role.</param>
/// <param name="AfterStorm">The same, after all have left and come back; null when there was no storm.</param>
internal sealed record RestMeasurement(
    int Round, Way Way, string System, IReadOnlyList<(Role Role, double Value)> Empty, IReadOnlyList<(Role Role, double Value)> Idle,
    IReadOnlyDictionary<Role, double> Slope, IReadOnlyDictionary<Role, double>? AfterStorm);

/// <summary>
/// Measures freshly started systems that have nothing to do: first without users, then with idle connections in rooms of ten. All systems
/// run at the same time, and each has its own clock. None disturbs another, because CPU is counted by process and memory as growth.
/// </summary>
internal static class Rest
{
    public const int Few = 1_000;
    public const int Many = 4_000;

    private const int Members = 10;
    private const int Step = 250;
    private static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(20);

    /// <summary>Memory is read after this long, when the garbage of connecting has been collected.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan Absence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    public static List<RestMeasurement> Measure(
        IEnumerable<Func<SystemUnderTest>> starters, Way way, int round, bool hasStorm, Action<string> say)
    {
        List<Subject> subjects = [];
        try
        {
            foreach (var start in starters)
            {
                subjects.Add(new Subject(start(), way));
            }

            say($"at rest, {way}: nobody is connected");
            MeasureCpu(subjects);
            foreach (var subject in subjects)
            {
                subject.Empty = subject.Cpu;
            }

            say($"at rest, {way}: {Many:N0} idle connections");
            Grow(subjects, Few);
            var few = Memory(subjects);
            Grow(subjects, Many);
            var many = Memory(subjects);
            MeasureCpu(subjects);
            List<Dictionary<Role, double>>? after = null;
            if (hasStorm)
            {
                say($"at rest, {way}: all leave and come back");
                subjects.ForEach(subject => subject.Leave());
                Wait(subjects, Absence);
                Grow(subjects, Many);
                after = Memory(subjects);
            }

            return
            [
                .. subjects.Select((each, i) => new RestMeasurement(
                    round, way, each.System.Name, each.Empty, each.Cpu, Slope(few[i], many[i]),
                    after is null ? null : Slope(few[i], after[i]))),
            ];
        }
        finally
        {
            subjects.ForEach(subject => subject.Dispose());
        }
    }

    /// <summary>KiB for each connection that came between the two readings.</summary>
    public static Dictionary<Role, double> Slope(Dictionary<Role, double> few, Dictionary<Role, double> many) =>
        few.ToDictionary(each => each.Key, each => (many[each.Key] - each.Value) / 1024 / (Many - Few));

    /// <summary>Opens the connections step by step, because a system drops clients that do not answer while others connect.</summary>
    private static void Grow(List<Subject> subjects, int connections)
    {
        while (subjects.Exists(subject => subject.Fleet.Connections.Count < connections))
        {
            foreach (var subject in subjects)
            {
                subject.Grow(Math.Min(connections, subject.Fleet.Connections.Count + Step));
            }
        }
        Wait(subjects, Settle);
    }

    private static void Wait(List<Subject> subjects, TimeSpan time)
    {
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < time;)
        {
            subjects.ForEach(subject => subject.Fleet.Poll(5));
        }
    }

    private static List<Dictionary<Role, double>> Memory(List<Subject> subjects) =>
    [
        .. subjects.Select(subject => subject.System.Memory().GroupBy(each => each.Role)
            .ToDictionary(each => each.Key, each => each.Sum(process => process.Value))),
    ];

    /// <summary>Waits until each system has been at rest for long enough and its window is over.</summary>
    private static void MeasureCpu(List<Subject> subjects)
    {
        subjects.ForEach(subject => subject.BeginCpu());
        while (subjects.Exists(subject => !subject.TryEndCpu()))
        {
            subjects.ForEach(subject => subject.Fleet.Poll(5));
        }
    }

    /// <summary>One system with its clients.</summary>
    private sealed class Subject(SystemUnderTest system, Way way) : IDisposable
    {
        private long _changedAt = system.HealthyAt;
        private long _begunAt;
        private TimeSpan _window;
        private List<(Role Role, double Value)>? _begin;
        private List<(Role Role, double Value)>? _end;

        public SystemUnderTest System { get; } = system;

        public Fleet Fleet { get; private set; } = NewFleet(system, way);

        public IReadOnlyList<(Role Role, double Value)> Empty { get; set; } = [];

        /// <summary>The last window's milliseconds per second.</summary>
        public IReadOnlyList<(Role Role, double Value)> Cpu =>
            [.. _begin!.Zip(_end!, (begin, end) => (begin.Role, (end.Value - begin.Value) * 1000 / _window.TotalSeconds))];

        public void Grow(int connections)
        {
            var from = Fleet.Connections.Count;
            Fleet.Open(connections - from, Deadline, Members);
            Fleet.Join(from, Members, Deadline);
            _changedAt = Stopwatch.GetTimestamp();
        }

        public void Leave()
        {
            Fleet.Dispose();
            Fleet = NewFleet(System, way);
        }

        public void BeginCpu() => (_begin, _end) = (null, null);

        /// <summary>Reads the CPU when it is time to. True when the window is over.</summary>
        public bool TryEndCpu()
        {
            if (_begin is null && Stopwatch.GetElapsedTime(_changedAt) >= FirstRest)
            {
                (_begin, _begunAt) = (System.Cpu(), Stopwatch.GetTimestamp());
            }
            else if (_begin is not null && _end is null && Stopwatch.GetElapsedTime(_begunAt) >= Window)
            {
                (_end, _window) = (System.Cpu(), Stopwatch.GetElapsedTime(_begunAt));
            }
            return _end is not null;
        }

        public void Dispose()
        {
            Fleet.Dispose();
            System.Dispose();
        }

        private static Fleet NewFleet(SystemUnderTest system, Way way) => new(system.Dialect, system.Servers(way), system.Token, "i");
    }
}
