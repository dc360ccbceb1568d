using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using AspireChat.Benchmarks.Load;
using Npgsql;

namespace AspireChat.Benchmarks.Persist;

/// <summary>
/// A PostgreSQL for one run with the settings it comes with (fsync and synchronous_commit on): temporary directory, free port, loopback
/// only; ends with the benchmark, however that ends. Needs <c>initdb</c> and <c>postgres</c>, and, as root, a user <c>postgres</c>.
/// </summary>
internal sealed class PrivatePostgres : IAsyncDisposable
{
    private static readonly string[] Owner =
        Environment.UserName == "root" ? ["--reuid=postgres", "--regid=postgres", "--init-groups"] : [];

    private readonly string _directory;
    private readonly Process _process;

    private PrivatePostgres(string directory, Process process, string connectionString)
    {
        _directory = directory;
        _process = process;
        ConnectionString = connectionString;
    }

    public string ConnectionString { get; }

    /// <summary>CPU seconds of the server and all its sessions, those that ended included.</summary>
    public double Cpu => Processes.Cpu(_process.Id, _ => Role.PostgreSql)[Role.PostgreSql];

    public static async Task<PrivatePostgres> StartAsync()
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        var directory = Directory.CreateTempSubdirectory("aspirechat-bench-").FullName;
        if (Owner.Length > 0)
            await RunAsync("chown", ["postgres", directory]);
        var data = Path.Combine(directory, "data");
        await RunAsync("setpriv",
            [.. Owner, "--", Find("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C"]);
        var process = await ForkAsync(
        [
            .. Owner, "--pdeathsig", "QUIT", "--", Find("postgres"), "-D", data, "-p", port.ToString(CultureInfo.InvariantCulture),
            "-k", directory, "-c", "listen_addresses=127.0.0.1",
        ]);
        var postgres = new PrivatePostgres(
            directory, process, $"Host=127.0.0.1;Port={port.ToString(CultureInfo.InvariantCulture)};Username=postgres;Database=chatdb");
        await postgres.CreateDatabaseAsync();
        return postgres;
    }

    public async ValueTask DisposeAsync()
    {
        // Immediate shutdown: nothing of it is kept.
        if (!_process.HasExited)
            await RunAsync("kill", ["-QUIT", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task CreateDatabaseAsync()
    {
        await using var source = NpgsqlDataSource.Create(
            ConnectionString.Replace("chatdb", "postgres", StringComparison.Ordinal) + ";Pooling=false");
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await using var command = source.CreateCommand("CREATE DATABASE chatdb");
                await command.ExecuteNonQueryAsync();
                return;
            }
            catch (NpgsqlException) when (attempt < 600 && !_process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    /// <summary>The death signal is sent when the thread that forked ends: this one ends with the process.</summary>
    private static async Task<Process> ForkAsync(string[] command)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            started.SetResult(Start("setpriv", command));
            new ManualResetEventSlim().Wait();
        }) { IsBackground = true, Name = "postgres" }.Start();
        return await started.Task;
    }

    private static Process Start(string program, string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        // Read to the end, or a full pipe would stop the server.
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        return process;
    }

    private static async Task RunAsync(string program, string[] arguments)
    {
        using var process = Start(program, arguments);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }

    private static string Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
        ?? Directory.GetDirectories("/usr/lib/postgresql").Order()
            .Select(version => Path.Combine(version, "bin", program)).Last(File.Exists);
}
