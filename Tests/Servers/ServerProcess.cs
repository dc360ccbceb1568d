using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace AspireChat.Tests.Servers;

/// <summary>
/// A server that belongs to the tests: it ends with the test process, however that ends. Not thread-safe, except that the process may be
/// signalled from anywhere.
/// </summary>
internal sealed class ServerProcess : IDisposable
{
    /// <summary>
    /// The kernel sends the parent-death signal when the *thread* that forked ends, and pool threads come and go: all servers are forked
    /// by this one, which lives as long as the process.
    /// </summary>
    private static readonly BlockingCollection<Action> Forks = StartForkingThread();

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _readyText;

    private ServerProcess(Process process, string readyText)
    {
        _process = process;
        _readyText = readyText;
    }

    public int Id => _process.Id;

    /// <summary>Starts a server and returns once it says that it is ready. Throws with its output when it exits instead.</summary>
    /// <param name="deathSignal">What the server gets when the test process dies: KILL, or QUIT where KILL would leave something
    /// behind.</param>
    public static async Task<ServerProcess> StartAsync(
        IReadOnlyList<string> command, string readyText, string? user = null, string deathSignal = "KILL")
    {
        var start = new ProcessStartInfo("setpriv") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (user is not null)
            AddAll(start, [$"--reuid={user}", $"--regid={user}", "--init-groups"]);
        AddAll(start, [$"--pdeathsig={deathSignal}", .. command]);

        var forked = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Forks.Add(() =>
        {
            try
            {
                forked.SetResult(Process.Start(start)!);
            }
            catch (Exception e)
            {
                forked.SetException(e);
            }
        });
        var server = new ServerProcess(await forked.Task, readyText);
        await server.WaitUntilReadyAsync(command[0]);
        return server;
    }

    /// <summary>Runs a program to its end; throws with its output when it fails.</summary>
    public static async Task RunAsync(IReadOnlyList<string> command, string? user = null)
    {
        var program = user is null ? command[0] : "setpriv";
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (user is not null)
            AddAll(start, [$"--reuid={user}", $"--regid={user}", "--init-groups", command[0]]);
        AddAll(start, command.Skip(1));
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{command[0]} ended with {process.ExitCode}:\n{await output}{await errors}");
    }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static string NewPassword() => Convert.ToHexString(RandomNumberGenerator.GetBytes(12));

    /// <summary>Sends a signal by its name without SIG, such as STOP.</summary>
    public Task SignalAsync(string signal) => RunAsync(["kill", "-s", signal, Id.ToString(CultureInfo.InvariantCulture)]);

    /// <summary>Sends a signal and waits for the end. A server that has ended already is fine.</summary>
    public async Task EndAsync(string signal)
    {
        if (!_process.HasExited)
            await SignalAsync(signal);
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static BlockingCollection<Action> StartForkingThread()
    {
        var forks = new BlockingCollection<Action>();
        var thread = new Thread(() =>
        {
            foreach (var fork in forks.GetConsumingEnumerable())
                fork();
        })
        { IsBackground = true, Name = "forks test servers" };
        thread.Start();
        return forks;
    }

    private static void AddAll(ProcessStartInfo start, IEnumerable<string> arguments)
    {
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
    }

    private async Task WaitUntilReadyAsync(string name)
    {
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException($"{name} ended at its start:\n{Output()}"));
        _process.EnableRaisingEvents = true;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        try
        {
            await _ready.Task.WaitAsync(StartLimit);
        }
        catch (TimeoutException)
        {
            Dispose();
            throw new TimeoutException($"{name} was not ready after {StartLimit.TotalSeconds} s:\n{Output()}");
        }
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        if (line.Contains(_readyText, StringComparison.Ordinal))
            _ready.TrySetResult();
        lock (_output)
        {
            // Enough to explain a failed start; a server that talks for minutes must not fill the memory of the tests.
            if (_output.Length < 16_384)
                _output.AppendLine(line);
        }
    }

    private string Output()
    {
        lock (_output)
            return _output.ToString();
    }
}
