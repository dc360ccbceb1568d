using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace AspireChat.Servers;

/// <summary>
/// A server that belongs to this process and ends with it, however that ends (where there is <c>setpriv</c>, see
/// <see cref="ServerCommand.WithDeathSignal"/>). Not thread-safe, except that it may be signalled from anywhere.
/// </summary>
public sealed class ServerProcess : IAsyncDisposable
{
    // Enough to explain a failed start, or an end later on; a server that talks for minutes must not fill the memory.
    private const int KeptOutput = 8_192;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(40);

    /// <summary>
    /// The kernel sends the parent-death signal when the *thread* that forked ends, and pool threads come and go: all servers are forked
    /// by this one, which lives as long as the process. Unbounded: whoever adds waits for the answer.
    /// </summary>
    private static readonly BlockingCollection<Action> Forks = StartForkingThread();

    private readonly ServerCommand _command;
    private readonly Process _process;
    private readonly string? _readyText;
    private readonly StringBuilder _firstOutput = new();
    private readonly Queue<string> _lastOutput = new();
    private int _lastLength;
    private Task _end = Task.CompletedTask;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(ServerCommand command, Process process, string? readyText)
    {
        _command = command;
        _process = process;
        _readyText = readyText;
    }

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>How it ended, for a person: <c>ended with code 1</c>. Null while it runs.</summary>
    public string? End => _process.HasExited ? $"ended with code {_process.ExitCode}" : null;

    /// <summary>What it said on both streams: the first 8 KiB, and the last.</summary>
    public string Output
    {
        get
        {
            lock (_firstOutput)
            {
                return string.Join(Environment.NewLine, [_firstOutput.ToString(), .. _lastOutput]);
            }
        }
    }

    /// <summary>Starts a server.</summary>
    /// <param name="deathSignal">
    /// What the server gets when this process dies, by its name without SIG: KILL, or QUIT where KILL would leave something behind.
    /// </param>
    /// <param name="readyText">
    /// What the server says when it is ready, which is waited for, 60 s at most. Null: it is left to the caller to see that.
    /// </param>
    /// <param name="environment">Variables on top of this process's. Secrets may be in them: only the same user can read them.</param>
    /// <exception cref="ServerException">It ended or was not ready in time; the message holds what it said.</exception>
    public static async Task<ServerProcess> StartAsync(
        ServerCommand command, string deathSignal, string? readyText, IReadOnlyDictionary<string, string>? environment = null,
        CancellationToken cancellationToken = default)
    {
        var line = command.WithDeathSignal(deathSignal);
        var start = new ProcessStartInfo(line[0], line.Skip(1))
        {
            WorkingDirectory = command.WorkingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // What a server says is looked for in English.
            Environment = { ["LC_ALL"] = "C" },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var server = new ServerProcess(command, await ForkAsync(start).ConfigureAwait(false), readyText);
        server.Read();
        try
        {
            if (readyText is not null)
            {
                await server._ready.Task.WaitAsync(StartLimit, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            }

            return server;
        }
        catch (Exception e)
        {
            await server.KillAsync().ConfigureAwait(false);
            if (e is TimeoutException)
            {
                throw server.Failure($"was not ready after {StartLimit.TotalSeconds} s");
            }

            throw;
        }
    }

    /// <summary>Sends a signal by its name without SIG, such as STOP. To a process that has ended it does nothing.</summary>
    public async Task SignalAsync(string signal)
    {
        // Not collected before WaitForExit: until then the id is no other process's.
        if (_process.HasExited)
        {
            return;
        }

        var kill = new ServerCommand("kill", ["-s", signal, Id.ToString(CultureInfo.InvariantCulture)], "/");
        await kill.RunAsync("", CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Sends a signal and waits for the end; kills what still runs after 40 s. A server that has ended already is fine.</summary>
    public async Task EndAsync(string signal)
    {
        await SignalAsync(signal).ConfigureAwait(false);
        using var limit = new CancellationTokenSource(EndLimit, TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await KillAsync().ConfigureAwait(false);
        }
    }

    /// <summary>kill -9 of the server and of its children, such as the one that rewrites Redis's append-only file.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Stops it in order, by <see cref="ServerCommand.StopSignal"/>; see <see cref="EndAsync"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await EndAsync(_command.StopSignal).ConfigureAwait(false);
        await _end.ConfigureAwait(false);
        _process.Dispose();
    }

    private static async Task<Process> ForkAsync(ProcessStartInfo start)
    {
        var forked = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Forks.Add(() =>
        {
            try
            {
                forked.SetResult(Process.Start(start)!);
            }
            catch (Exception e)
            {
                forked.SetException(new ServerException($"{start.FileName} did not start: {e.Message}", e));
            }
        });
        return await forked.Task.ConfigureAwait(false);
    }

    private static BlockingCollection<Action> StartForkingThread()
    {
        var forks = new BlockingCollection<Action>();
        var thread = new Thread(() =>
        {
            foreach (var fork in forks.GetConsumingEnumerable())
            {
                fork();
            }
        })
        { IsBackground = true, Name = "forks servers" };
        thread.Start();
        return forks;
    }

    // Read to the end, or a full pipe would stop the server.
    private void Read()
    {
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        // Nobody may be waiting for it.
        _ = _ready.Task.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _end = FailAtEndAsync();
    }

    private async Task FailAtEndAsync()
    {
        // With both streams read to their end: the last line is what explains it.
        await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        _ready.TrySetException(Failure($"{End} at its start"));
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_firstOutput)
        {
            if (_firstOutput.Length < KeptOutput)
            {
                _firstOutput.AppendLine(line);
            }
            else
            {
                _lastOutput.Enqueue(line);
                _lastLength += line.Length;
                while (_lastLength > KeptOutput)
                {
                    _lastLength -= _lastOutput.Dequeue().Length;
                }
            }
        }
        if (_readyText is not null && line.Contains(_readyText, StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
    }

    private ServerException Failure(string what) =>
        new($"{_command.Name} {what}: {Output.Trim().ReplaceLineEndings(" / ")}");
}
