using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AspireChat.LocalHost.Running;

/// <summary>A started process, the leader of a session of its own.</summary>
internal sealed class ChildProcess
{
    private readonly Process _process;
    private readonly int _stopSignal;

    public ChildProcess(Process process, int stopSignal, Action<string, bool> onLine)
    {
        _process = process;
        _stopSignal = stopSignal;
        Id = process.Id;
        Output = Task.WhenAll(PumpAsync(process.StandardOutput, false, onLine), PumpAsync(process.StandardError, true, onLine));
        Exited = ExitAsync();
    }

    public int Id { get; }

    /// <summary>Completes with the exit code, 128 + signal for one that was killed.</summary>
    public Task<int> Exited { get; }

    /// <summary>Completes when the last line was read. A grandchild that keeps the pipe open delays it.</summary>
    public Task Output { get; }

    /// <summary>Asks the process to stop, and kills it and its group after <paramref name="grace"/>.</summary>
    public async Task StopAsync(TimeSpan grace, TimeProvider time)
    {
        Signal(Id, _stopSignal);
        try
        {
            await Exited.WaitAsync(grace, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Signal(-Id, Signals.Kill);
            Signal(Id, Signals.Kill);
            await Exited.ConfigureAwait(false);
        }
    }

    private void Signal(int target, int signal)
    {
        if (!Exited.IsCompleted) _ = Kill(target, signal);
    }

    private async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        return _process.ExitCode;
    }

    private static async Task PumpAsync(StreamReader reader, bool isError, Action<string, bool> onLine)
    {
        try
        {
            while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line) onLine(line, isError);
        }
        catch (IOException)
        {
            // The pipe broke with the process.
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int pid, int signal);
}
