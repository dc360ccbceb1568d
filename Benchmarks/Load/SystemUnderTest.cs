using System.Numerics;
using AspireChat.Servers;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// A running system: where clients connect, the protocol that they speak, and what its processes have used. Disposing it ends the processes
/// in the opposite order of their start. Not thread-safe: the load generator's thread owns it.
/// </summary>
internal abstract class SystemUnderTest(string name, Dialect dialect) : IDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);

    private readonly List<(Role Role, int Process, IAsyncDisposable Owner)> _started = [];

    public string Name { get; } = name;

    public Dialect Dialect { get; } = dialect;

    public IReadOnlyList<Uri> Nodes { get; protected set; } = [];

    public Uri Gateway { get; protected set; } = new("http://localhost");

    public IReadOnlyList<Uri> Servers(Way way) => way == Way.Direct ? Nodes : [Gateway];

    public virtual string Token(string user) => "";

    /// <summary>CPU seconds so far.</summary>
    public Dictionary<Role, double> Cpu() => Sum(started => Processes.Cpu(started.Process, started.Role));

    /// <summary>Resident private bytes of the processes.</summary>
    public Dictionary<Role, long> Memory() => Sum(started => Processes.Memory(started.Process));

    /// <summary>Ends all processes. It blocks, because the load generator owns its thread.</summary>
    public void Dispose() => EndAsync().GetAwaiter().GetResult();

    /// <summary>Calls <paramref name="start"/>. When it fails, the processes that it has started end.</summary>
    protected static async Task<T> StartAsync<T>(T system, Func<T, Task> start) where T : SystemUnderTest
    {
        try
        {
            await start(system);
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
        _started.Add((role, process.Id, process));
        await WaitUntilHealthyAsync(project, address, process);
        return process;
    }

    private static string ProgramOf(string project)
    {
        var own = AppContext.BaseDirectory.TrimEnd('/');
        var path = Path.GetFullPath(Path.Combine(own, "..", "..", project, Path.GetFileName(own), $"AspireChat.{project}.dll"));
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
    }

    private Dictionary<Role, T> Sum<T>(Func<(Role Role, int Process, IAsyncDisposable Owner), T> read) where T : INumber<T>
    {
        var sums = Enum.GetValues<Role>().ToDictionary(role => role, _ => T.Zero);
        foreach (var started in _started)
        {
            sums[started.Role] += read(started);
        }

        return sums;
    }
}
