using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using AspireChat.Gateway.Tunnels;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// A running system: where clients connect, how they speak, and what its processes have used. Start it on a thread that lives on.
/// </summary>
internal abstract class SystemUnderTest(string name, Dialect dialect) : IDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);

    public string Name { get; } = name;

    public Dialect Dialect { get; } = dialect;

    public IReadOnlyList<Uri> Nodes { get; protected set; } = [];

    public Uri Gateway { get; protected set; } = new("http://localhost");

    public IReadOnlyList<Uri> Servers(Way way) => way == Way.Direct ? Nodes : [Gateway];

    public virtual string Token(string user) => "";

    public abstract Dictionary<Role, double> Cpu();

    public abstract Dictionary<Role, long> Memory();

    public abstract void Dispose();

    /// <summary>The folder in which the build puts the program of a project, in the configuration that this program was built in.</summary>
    protected static string Program(string project)
    {
        var own = AppContext.BaseDirectory.TrimEnd('/');
        var path = Path.GetFullPath(Path.Combine(own, "..", "..", project, Path.GetFileName(own), $"AspireChat.{project}.dll"));
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is not built.");
    }

    protected static void WaitUntilHealthy(Uri server, Process process)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (process.HasExited) throw new InvalidOperationException($"A server ended with exit code {process.ExitCode}.");
            try
            {
                using var answer = http.Send(new HttpRequestMessage(HttpMethod.Get, new Uri(server, "/health")));
                if (answer.IsSuccessStatusCode) return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // Not yet.
            }
            Pause(started, $"{server} did not become healthy");
        }
    }

    protected static void Pause(long started, string otherwise)
    {
        if (Stopwatch.GetElapsedTime(started) > StartDeadline)
            throw new InvalidOperationException($"{otherwise} within {StartDeadline.TotalSeconds} s.");
        using var epoll = new Epoll();
        epoll.Wait(100);
    }

    protected static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>
/// AspireChat as its AppHost describes it, on the local host, in Production, with a temporary data directory. Limits that protect the
/// system from one user are lifted, since few users make all of the load here.
/// </summary>
internal sealed class AspireChatSystem : SystemUnderTest
{
    private readonly Process _host;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(48);

    public AspireChatSystem(string name, IReadOnlyDictionary<string, string> environment) : base(name, new AspireChatDialect())
    {
        var key = Convert.ToHexString(_key);
        _key = Encoding.UTF8.GetBytes(key);
        var settings = new Dictionary<string, string>(environment)
        {
            ["ASPIRECHAT_PORT"] = "0",
            ["DOTNET_ENVIRONMENT"] = "Production",
            ["LocalHost__TemporaryData"] = "true",
            ["LocalHost__RestartCrashed"] = "false",
            ["Parameters__jwt-key"] = key,
            ["Gateway__RateLimits__Enabled"] = "false",
            ["Sockets__EventsPerSecond"] = "100000",
            ["Sockets__EventBurst"] = "100000",
            ["Sockets__FramesPerSecond"] = "100000",
            ["Sockets__FrameBurst"] = "100000",
        };
        _host = Processes.Start("dotnet", ["exec", Program("AppHost")], settings);
        var started = Stopwatch.GetTimestamp();
        while (Addresses("AspireChat.Gateway.dll") is not [_] || Addresses("AspireChat.ConnectionService.dll").Count < 2)
        {
            if (_host.HasExited) throw new InvalidOperationException($"The AppHost ended with exit code {_host.ExitCode}.");
            Pause(started, "The AppHost started no gateway");
        }
        Gateway = Addresses("AspireChat.Gateway.dll")[0];
        Nodes = Addresses("AspireChat.ConnectionService.dll");
        foreach (var server in Nodes.Append(Gateway)) WaitUntilHealthy(server, _host);
    }

    /// <summary>As the services are given it.</summary>
    public string RedisConnection => ProcessesOf("AspireChat.PresenceService.dll")
        .Select(process => Processes.VariableOf(process, "ConnectionStrings__redis")).OfType<string>().First();

    /// <summary>kill -9 of one of <see cref="SystemUnderTest.Nodes"/>, which is not started again.</summary>
    public void KillNode(Uri node) =>
        Kill(ProcessesOf("AspireChat.ConnectionService.dll").Where(process => AddressOf(process) == node));

    /// <summary>kill -9 of PresenceService, which is not started again.</summary>
    public void KillPresence() => Kill(ProcessesOf("AspireChat.PresenceService.dll"));

    /// <summary>A token that lives for a day (HS256), signed here: asking for thousands of them would be part of the load.</summary>
    public override string Token(string user)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var signed = Base64("""{"alg":"HS256","typ":"JWT"}""") + "." + Base64(
            $$"""{"sub":"{{user}}","iss":"aspirechat","aud":"aspirechat","nbf":{{now - 60}},"iat":{{now - 60}},"exp":{{now + 86_400}}}""");
        return $"{signed}.{Base64(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(signed)))}";
    }

    public override Dictionary<Role, double> Cpu() => Processes.Cpu(_host.Id, RoleOf);

    public override Dictionary<Role, long> Memory() => Processes.Memory(_host.Id, RoleOf);

    public override void Dispose() => Processes.Stop(_host);

    private static void Kill(IEnumerable<int> processes)
    {
        foreach (var id in processes)
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
    }

    private static Uri? AddressOf(int process) =>
        Processes.VariableOf(process, "ASPNETCORE_URLS") is { } urls ? new Uri(urls.Split(';')[0]) : null;

    private List<int> ProcessesOf(string assembly) =>
        [.. Processes.Below(_host.Id).Where(process => Processes.CommandOf(process).Contains(assembly, StringComparison.Ordinal))];

    private List<Uri> Addresses(string assembly) => [.. ProcessesOf(assembly).Select(AddressOf).OfType<Uri>().Distinct()];

    private static Role RoleOf(string command) => command switch
    {
        _ when command.Contains("ConnectionService.dll", StringComparison.Ordinal) => Role.Node,
        _ when command.Contains("Gateway.dll", StringComparison.Ordinal) => Role.Gateway,
        _ when command.Contains("PresenceService.dll", StringComparison.Ordinal) => Role.Presence,
        _ when command.Contains("PersistenceService.dll", StringComparison.Ordinal) => Role.Persistence,
        _ when command.Contains("redis-server", StringComparison.Ordinal) => Role.Redis,
        _ when command.Contains("postgres", StringComparison.Ordinal) => Role.PostgreSql,
        _ => Role.Other,
    };

    private static string Base64(string text) => Base64(Encoding.UTF8.GetBytes(text));

    private static string Base64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}

/// <summary>SignalR: two replicas, the Redis backplane without an append-only file, YARP before them. Everything as shipped.</summary>
internal sealed class SignalRSystem : SystemUnderTest
{
    private readonly List<Process> _processes = [];
    private readonly Process _redis;
    private readonly Process _gateway;

    public SignalRSystem(IReadOnlyDictionary<string, string> environment) : base("SignalR", new SignalRDialect())
    {
        var redis = FreePort();
        _redis = Add("redis-server", ["--bind", "127.0.0.1", "--port", $"{redis}", "--save", "", "--appendonly", "no"], environment);
        Nodes = [new($"http://localhost:{FreePort()}"), new($"http://localhost:{FreePort()}")];
        Gateway = new($"http://localhost:{FreePort()}");
        var settings = new Dictionary<string, string>(environment)
        {
            ["DOTNET_ENVIRONMENT"] = "Production",
            ["Peer__Redis"] = $"localhost:{redis}",
            ["Peer__Nodes"] = string.Join(',', Nodes),
        };
        foreach (var node in Nodes)
            WaitUntilHealthy(node, Add("dotnet", ["exec", Program("SignalRPeer"), "node"], With(settings, node)));
        _gateway = Add("dotnet", ["exec", Program("SignalRPeer"), "gateway"], With(settings, Gateway));
        WaitUntilHealthy(Gateway, _gateway);
    }

    public override Dictionary<Role, double> Cpu() => Sum(process => Processes.Cpu(process.Id, _ => RoleOf(process)));

    public override Dictionary<Role, long> Memory() => Sum(process => Processes.Memory(process.Id, _ => RoleOf(process)));

    public override void Dispose()
    {
        for (var i = _processes.Count - 1; i >= 0; i--) Processes.Stop(_processes[i]);
    }

    private static Dictionary<string, string> With(Dictionary<string, string> settings, Uri address) =>
        new(settings) { ["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority) };

    private Process Add(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var process = Processes.Start(program, arguments, environment);
        _processes.Add(process);
        return process;
    }

    private Role RoleOf(Process process) => process == _redis ? Role.Redis : process == _gateway ? Role.Gateway : Role.Node;

    private Dictionary<Role, T> Sum<T>(Func<Process, Dictionary<Role, T>> read) where T : System.Numerics.INumber<T>
    {
        var sums = Enum.GetValues<Role>().ToDictionary(role => role, _ => T.Zero);
        foreach (var (role, value) in _processes.SelectMany(read)) sums[role] += value;
        return sums;
    }
}
