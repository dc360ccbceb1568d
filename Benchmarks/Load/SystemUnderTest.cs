using System.Diagnostics;
using AspireChat.Servers;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// A running system: where clients connect, the protocol that they speak, and what its processes have used. Disposing it ends the processes
/// in the opposite order of their start. Not thread-safe: the load generator's thread owns it.
/// </summary>
/// <param name="build">The root of another checkout whose built programs run instead of this one's; null for this one's.</param>
internal abstract class SystemUnderTest(string name, Dialect dialect, string? build = null) : IDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);

    private readonly List<(Role Role, int Process, IAsyncDisposable Owner)> _started = [];

    public string Name { get; } = name;

    public Dialect Dialect { get; } = dialect;

    public IReadOnlyList<Uri> Nodes { get; protected set; } = [];

    public Uri Gateway { get; protected set; } = new("http://localhost");

    public IReadOnlyList<Uri> Servers(Way way) => way == Way.Direct ? Nodes : [Gateway];

    /// <summary>When the last of its processes was healthy, as a <see cref="Stopwatch"/> timestamp.</summary>
    public long HealthyAt { get; private set; }

    /// <summary>False: this system has no gateway, or no messages from user to user.</summary>
    public virtual bool Takes(Scenario scenario, Way way) => true;

    public virtual string Token(string user) => "";

    /// <summary>CPU seconds so far, of each process in the order of their start.</summary>
    public List<(Role Role, double Value)> Cpu() => [.. _started.Select(each => (each.Role, Processes.Cpu(each.Process, each.Role)))];

    /// <summary>Resident bytes of each process, in the same order; see <see cref="Processes.Memory"/>.</summary>
    public List<(Role Role, double Value)> Memory() => [.. _started.Select(each => (each.Role, (double)Processes.Memory(each.Process)))];

    /// <summary>Ends all processes. It blocks, because the load generator owns its thread.</summary>
    public void Dispose() => EndAsync().GetAwaiter().GetResult();

    /// <summary>Called when all processes have ended.</summary>
    protected virtual void OnEnded()
    {
    }

    /// <summary>Calls <paramref name="start"/>. When it fails, the processes that it has started end.</summary>
    protected static async Task<T> StartAsync<T>(T system, Func<T, Task> start) where T : SystemUnderTest
    {
        try
        {
            await start(system);
            system.HealthyAt = Stopwatch.GetTimestamp();
            return system;
        }
        catch
        {
            await system.EndAsync();
            throw;
        }
    }

    protected static Uri FreeAddress() => new($"http://localhost:{Ports.Free()}");

    protected async Task<RunningRedis> StartRedisAsync(IReadOnlyList<string> directives)
    {
        var redis = await RunningRedis.StartAsync(directives);
        _started.Add((Role.Redis, redis.ProcessId, redis));
        return redis;
    }

    protected async Task<RunningPostgres> StartPostgresAsync(string database)
    {
        var postgres = await RunningPostgres.StartAsync(database, durable: true);
        _started.Add((Role.PostgreSql, postgres.ProcessId, postgres));
        return postgres;
    }

    /// <summary>Starts the built program of a project, in this program's own configuration. Returns when it is healthy.</summary>
    protected async Task<ServerProcess> StartProgramAsync(
        Role role, string project, Uri address, IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments)
    {
        var program = ProgramOf(project);
        var process = await ServerProcess.StartAsync(
            new ServerCommand("dotnet", ["exec", program, .. arguments], Path.GetDirectoryName(program)!), "KILL", readyText: null,
            new Dictionary<string, string>(environment)
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
                ["DOTNET_ENVIRONMENT"] = "Production",
                ["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority),
            });
        Add(role, process);
        await WaitUntilHealthyAsync(project, address, process);
        return process;
    }

    /// <summary>Starts another program. Returns when it has said that it is ready.</summary>
    protected async Task StartServerAsync(Role role, ServerCommand command, string readyText) =>
        Add(role, await ServerProcess.StartAsync(command, "TERM", readyText));

    /// <summary>The built program of a project, in this program's own configuration.</summary>
    protected string ProgramOf(string project)
    {
        var own = AppContext.BaseDirectory.TrimEnd('/');
        var programs = build is null ? Path.Combine(own, "..", "..") : Path.Combine(build, "artifacts", "bin");
        var path = Path.GetFullPath(Path.Combine(programs, project, Path.GetFileName(own), $"AspireChat.{project}.dll"));
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is not built.");
    }

    private static async Task WaitUntilHealthyAsync(string project, Uri address, ServerProcess process)
    {
        using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(5) };
        using var deadline = new CancellationTokenSource(StartDeadline, TimeProvider.System);
        while (!process.HasEnded && !deadline.IsCancellationRequested)
        {
            try
            {
                using var answer = await http.GetAsync("/health", CancellationToken.None);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // Not yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        }
        var fault = process.End ?? $"was not healthy within {StartDeadline.TotalSeconds} s";
        throw new InvalidOperationException($"{project} {fault}:\n{process.Output}");
    }

    private async Task EndAsync()
    {
        for (var i = _started.Count - 1; i >= 0; i--)
        {
            await _started[i].Owner.DisposeAsync();
        }

        _started.Clear();
        OnEnded();
    }

    private void Add(Role role, ServerProcess process) => _started.Add((role, process.Id, process));
}
