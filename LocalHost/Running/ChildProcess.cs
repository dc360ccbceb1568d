using System.Diagnostics;

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

    /// <summary>
    /// Asks the process to stop; kills it and its group after <paramref name="grace"/>, or when <paramref name="hurry"/> fires.
    /// </summary>
    public async Task StopAsync(TimeSpan grace, TimeProvider time, CancellationToken hurry)
    {
        Signal(Id, _stopSignal);
        try
        {
            await Exited.WaitAsync(grace, time, hurry).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Signal(-Id, Signals.Kill);
            Signal(Id, Signals.Kill);
            await Exited.ConfigureAwait(false);
        }
    }

    private void Signal(int target, int signal)
    {
        if (!Exited.IsCompleted) Signals.Send(target, signal);
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
}
