using System.Globalization;
using AspireChat.Chaos.Faults;
using AspireChat.Chaos.Stack;

namespace AspireChat.Chaos.Hostile;

/// <summary>
/// Looks at the processes of the system from outside, four times a second: health, asked of each service directly, resident memory and processor
/// time. Thread-safe.
/// </summary>
internal sealed class SystemWatch : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    private readonly List<WatchedProcess> _processes;
    private readonly HttpClient _http;
    private readonly MemoryCurve? _curve;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _watching;

    private SystemWatch(List<WatchedProcess> processes, TimeSpan healthTimeout, MemoryCurve? curve)
    {
        _processes = processes;
        _curve = curve;
        _http = new HttpClient { Timeout = healthTimeout };
        _watching = Task.WhenAll(processes.Select(process => Task.Run(() => WatchAsync(process))));
    }

    /// <summary>The resources whose processes are watched.</summary>
    public static IReadOnlyList<string> Resources { get; } = ["connection", "gateway", "persistence", "presence", "redis", "postgres"];

    public IReadOnlyList<WatchedProcess> Processes => _processes;

    /// <summary>Where the gateway itself listens, past the proxy that the orchestrator puts before each service.</summary>
    public Uri Gateway => _processes.Single(process => process.Name == "gateway").Address!;

    /// <param name="healthTimeout">An answer that takes longer is a failed check: 2 s is what the gateway grants.</param>
    /// <param name="curve">Where the memory of each process is noted; null: nowhere.</param>
    public static SystemWatch Start(RunningAppHost host, TimeSpan healthTimeout, MemoryCurve? curve = null)
    {
        List<WatchedProcess> processes = [];
        foreach (var resource in Resources)
        {
            var instances = host.Instances(resource);
            for (var i = 0; i < instances.Count; i++)
            {
                var id = host.ProcessOf(instances[i]) ?? throw new InvalidOperationException($"{instances[i]} does not run.");
                processes.Add(new WatchedProcess(instances.Count > 1 ? $"{resource}-{i}" : resource, id));
            }
        }
        return new SystemWatch(processes, healthTimeout, curve);
    }

    /// <summary>From now on peaks, failures and processor time count anew.</summary>
    public void Begin()
    {
        foreach (var process in _processes)
        {
            process.Begin();
        }
    }

    /// <summary>Waits until no process has more than so much left of what it grew, or the time is up.</summary>
    /// <param name="left">MB.</param>
    /// <returns>How long it took.</returns>
    public async Task<TimeSpan> SettleAsync(double left, TimeSpan patience, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await Task.Delay(Every, TimeProvider.System, cancellationToken);
            var took = TimeProvider.System.GetElapsedTime(began);
            if (took >= patience || _processes.All(process => process.Left <= left))
            {
                return took;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching;
        _end.Dispose();
        _http.Dispose();
    }

    private async Task WatchAsync(WatchedProcess process)
    {
        try
        {
            while (true)
            {
                process.Look();
                _curve?.Add(process.Name, process.Now);
                if (process.Health is { } health)
                {
                    await AskAsync(process, health);
                }

                await Task.Delay(Every, TimeProvider.System, _end.Token);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    private async Task AskAsync(WatchedProcess process, Uri health)
    {
        try
        {
            using var answer = await _http.GetAsync(health, _end.Token);
            process.Answered((int)answer.StatusCode == 200 ? null : $"{(int)answer.StatusCode}");
        }
        catch (HttpRequestException)
        {
            process.Answered("no connection");
        }
        catch (OperationCanceledException) when (!_end.IsCancellationRequested)
        {
            process.Answered("no answer");
        }
    }
}

/// <summary>One process of the system, as <see cref="SystemWatch"/> sees it. Megabytes and seconds.</summary>
internal sealed class WatchedProcess
{
    private const double PageMegabytes = 4096 / 1e6;
    private const double TicksPerSecond = 100;

    private readonly int _id;
    private readonly Lock _gate = new();
    private readonly List<string> _failures = [];
    private double _before;
    private double _peak;
    private double _now;
    private double _cpuBefore;
    private int _checks;

    public WatchedProcess(string name, int id)
    {
        Name = name;
        _id = id;
        Health = AddressOf(id) is { } address ? new Uri(address, "/health") : null;
    }

    public string Name { get; }

    /// <summary>Where the process itself answers; null for a server that speaks no HTTP.</summary>
    public Uri? Health { get; }

    /// <summary>Where the process itself listens, past every proxy.</summary>
    public Uri? Address => Health is null ? null : new Uri(Health, "/");

    public double Before => _before;

    public int Id => _id;

    public double Now => Volatile.Read(ref _now);

    public double Grew => Math.Max(0, _peak - _before);

    public double Left => Math.Max(0, Now - _before);

    public double Cpu => CpuNow() - _cpuBefore;

    public int Checks => _checks;

    public IReadOnlyList<string> Failures
    {
        get
        {
            lock (_gate)
            {
                return [.. _failures];
            }
        }
    }

    public void Begin()
    {
        lock (_gate)
        {
            _failures.Clear();
            _checks = 0;
            _before = _peak = _now = Resident();
            _cpuBefore = CpuNow();
        }
    }

    public void Look()
    {
        lock (_gate)
        {
            _now = Resident();
            _peak = Math.Max(_peak, _now);
        }
    }

    public void Answered(string? failure)
    {
        lock (_gate)
        {
            _checks++;
            if (failure is not null)
            {
                _failures.Add(failure);
            }
        }
    }

    /// <summary>Of PostgreSQL what its sessions have of their own: what they share counts in each of them.</summary>
    private double Resident() => Health is null && Name == "postgres"
        ? Processes.WithChildren(_id).Sum(id => Statm(id) is { } pages ? Math.Max(0, pages.Resident - pages.Shared) : 0) * PageMegabytes
        : (Statm(_id)?.Resident ?? 0) * PageMegabytes;

    private double CpuNow() => (Name == "postgres" ? Processes.WithChildren(_id) : [_id]).Sum(CpuOf);

    private static (long Resident, long Shared)? Statm(int id) =>
        Read(id, "statm")?.Split(' ') is [_, var resident, var shared, ..]
            ? (long.Parse(resident, CultureInfo.InvariantCulture), long.Parse(shared, CultureInfo.InvariantCulture))
            : null;

    private static double CpuOf(int id)
    {
        if (Read(id, "stat") is not { } stat)
        {
            return 0;
        }

        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        // Its own, and that of children that have ended: PostgreSQL's sessions come and go.
        return fields[11..15].Sum(ticks => double.Parse(ticks, CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>The orchestrator tells each program by a variable where to listen.</summary>
    private static Uri? AddressOf(int id) =>
        Read(id, "environ")?.Split('\0').FirstOrDefault(line => line.StartsWith("ASPNETCORE_URLS=", StringComparison.Ordinal)) is { } line
            ? new Uri(line["ASPNETCORE_URLS=".Length..].Split(';')[0].Replace("localhost", "127.0.0.1", StringComparison.Ordinal))
            : null;

    private static string? Read(int id, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
