using System.Collections.Concurrent;
using System.Diagnostics;

namespace AspireChat.LocalHost.Running;

/// <summary>
/// Starts processes so that none outlives the host, however it ends. On Linux each gets a session of its own (Ctrl+C in the terminal
/// reaches only the host, which then stops things in order) and a parent death signal. That signal fires when the <em>thread</em> that
/// started the process ends, so one thread that lives as long as the host starts them all.
/// </summary>
internal sealed class ProcessSpawner : IDisposable
{
    private static readonly string? SetSid = Programs.Find("setsid");
    private static readonly string? SetPriv = Programs.Find("setpriv");

    // Variables of the host's own start that would mislead a child: its addresses and launch profile, the test runner's and the debugger's.
    private static readonly string[] HostOnly =
    [
        "ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS", "HTTP_PORTS", "HTTPS_PORTS", "URLS", "DOTNET_URLS",
        "DOTNET_LAUNCH_PROFILE", "DOTNET_STARTUP_HOOKS", "VSTEST_HOST_DEBUG", "TESTINGPLATFORM_DOTNETTEST_EXECUTIONID",
        "MSBUILDUSESERVER", "MSBuildSDKsPath", "MSBuildExtensionsPath", "MSBUILD_EXE_PATH",
    ];

    // Unbounded: holds at most one pending start per replica.
    private readonly BlockingCollection<Action> _work = [];

    public ProcessSpawner()
    {
        var thread = new Thread(() =>
        {
            foreach (var work in _work.GetConsumingEnumerable()) work();
        })
        {
            IsBackground = true,
            Name = "process spawner",
        };
        thread.Start();
    }

    public Task<ChildProcess> StartAsync(ProcessLaunch launch, Action<string, bool> onLine)
    {
        var started = new TaskCompletionSource<ChildProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                started.SetResult(new ChildProcess(Start(launch), launch.StopSignal, onLine));
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        return started.Task;
    }

    /// <summary>Runs a program to its end; the output is both streams.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(ProcessLaunch launch, CancellationToken cancellationToken)
    {
        var lines = new ConcurrentQueue<string>();
        var child = await StartAsync(launch, (line, _) => lines.Enqueue(line)).ConfigureAwait(false);
        using var stop = cancellationToken.Register(() => _ = child.StopAsync(TimeSpan.FromSeconds(2), TimeProvider.System,
            CancellationToken.None));
        var exitCode = await child.Exited.ConfigureAwait(false);
        await child.Output.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return (exitCode, string.Join('\n', lines));
    }

    public void Dispose() => _work.CompleteAdding();

    private static Process Start(ProcessLaunch launch)
    {
        List<string> line = [];
        if (SetSid is not null && SetPriv is not null)
        {
            line.AddRange([SetSid, SetPriv, "--pdeathsig", launch.DeathSignal]);
            if (launch.User is { } user) line.AddRange([$"--reuid={user}", $"--regid={user}", "--init-groups"]);
            line.Add("--");
        }

        line.Add(launch.Command);
        line.AddRange(launch.Arguments);
        var start = new ProcessStartInfo(line[0], line.Skip(1))
        {
            WorkingDirectory = launch.WorkingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in HostOnly) start.Environment.Remove(name);
        foreach (var (name, value) in launch.Environment) start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{launch.Command} did not start.");
        process.StandardInput.Close();
        return process;
    }
}

/// <summary>Finds programs as a shell would: on the PATH, or where a rooted path says.</summary>
internal static class Programs
{
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);
}
