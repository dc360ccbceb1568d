using System.Collections.Concurrent;
using System.Diagnostics;

namespace AspireChat.Tests.LocalHost;

/// <summary>The AppHost as a person starts it: a process with a console.</summary>
[Trait("Needs", "System")]
public sealed class HostProcessTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("aspirechat-host-").FullName;
    private readonly ConcurrentQueue<string> _errors = [];
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(120));

    [Fact]
    public async Task Killed_host_leaves_no_process()
    {
        using var host = Start();
        await LineAsync(host, "postgres", "healthy");
        var started = Processes.Descendants(host.Id);
        Assert.True(started.Count >= 3, "redis, postgres and the children of postgres");

        Processes.Kill(host.Id);

        await Processes.EndOfAsync(started);
    }

    [Fact]
    public async Task Host_asked_to_stop_stops_everything_and_ends_with_0()
    {
        using var host = Start();
        await LineAsync(host, "postgres", "healthy");
        var started = Processes.Descendants(host.Id);

        using var kill = Process.Start("kill", ["-TERM", host.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])!;
        await host.StandardOutput.ReadToEndAsync(_patience.Token);
        await host.WaitForExitAsync(_patience.Token);

        Assert.Equal(0, host.ExitCode);
        Assert.DoesNotContain(started, Processes.Runs);
    }

    [Fact]
    public async Task Missing_redis_is_one_line_and_a_failure()
    {
        var path = Directory.CreateDirectory(Path.Combine(_directory, "bin")).FullName;
        foreach (var program in (string[])["dotnet", "setsid", "setpriv", "postgres", "initdb"])
            if (AspireChat.LocalHost.Running.Programs.Find(program) is { } found)
                File.CreateSymbolicLink(Path.Combine(path, program), found);

        using var host = Start(("PATH", path));
        await host.WaitForExitAsync(_patience.Token);

        Assert.Equal(1, host.ExitCode);
        Assert.StartsWith("error: redis-server was not found on the PATH", Assert.Single(_errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_that_cannot_start_is_reported_with_its_last_words_and_a_failure()
    {
        var data = Path.Combine(_directory, "data", "redis", "appendonlydir");
        Directory.CreateDirectory(data);
        await File.WriteAllTextAsync(Path.Combine(data, "appendonly.aof.manifest"), "not a manifest\n");

        using var host = Start();
        await host.StandardOutput.ReadToEndAsync(_patience.Token);
        await host.WaitForExitAsync(_patience.Token);

        Assert.Equal(1, host.ExitCode);
        Assert.Contains(_errors, e => e.StartsWith("error: redis ended with exit code 1. Its last lines:", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _patience.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private Process Start(params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(
            Environment.ProcessPath!, ["exec", typeof(Projects.AppHost).Assembly.Location,
                $"--LocalHost:DataDirectory={Path.Combine(_directory, "data")}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPIRECHAT_PORT"] = "0";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var host = Process.Start(start)!;
        host.ErrorDataReceived += (_, e) =>
        {
            if (!string.IsNullOrEmpty(e.Data)) _errors.Enqueue(e.Data);
        };
        host.BeginErrorReadLine();
        return host;
    }

    private async Task LineAsync(Process host, params string[] words)
    {
        while (await host.StandardOutput.ReadLineAsync(_patience.Token) is { } line)
            if (words.All(w => line.Contains(w, StringComparison.Ordinal)))
                return;
        Assert.Fail($"The host ended without saying {string.Join(' ', words)}: {string.Join('\n', _errors)}");
    }
}
