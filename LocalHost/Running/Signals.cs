using System.Runtime.InteropServices;

namespace AspireChat.LocalHost.Running;

/// <summary>Signals of Unix, which .NET can receive but not send.</summary>
internal static class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;

    private const int SetParentDeathSignal = 1;

    /// <summary>Sends to a process, or to the group of a negative id. One that is gone is no error.</summary>
    public static void Send(int target, int signal) => _ = kill(target, signal);

    /// <summary>
    /// Listens to SIGINT even where a shell script started the host in the background: such a shell makes it ignore the signal, and .NET
    /// keeps to that. Called before anything registers for the signal.
    /// </summary>
    public static void HeedInterrupts()
    {
        if (!OperatingSystem.IsWindows()) _ = signal(Interrupt, 0);
    }

    /// <summary>
    /// Ends this process when the `dotnet run` that started it ends, even when that is killed. Called on the main thread, because the
    /// request belongs to the thread; only under `dotnet run`, because a host that a shell left running in the background must stay.
    /// </summary>
    public static void FollowDotnetRun()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            var parent = File.ReadAllText("/proc/self/stat").Split(") ")[^1].Split(' ')[1];
            var command = File.ReadAllText($"/proc/{parent}/cmdline").Split('\0');
            if (Path.GetFileName(command[0]) == "dotnet" && command.Contains("run")) _ = prctl(SetParentDeathSignal, Terminate, 0, 0, 0);
        }
        catch (IOException)
        {
            // The parent is gone already.
        }
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);

    [DllImport("libc", SetLastError = true)]
    private static extern nint signal(int signal, nint handler);

    [DllImport("libc", SetLastError = true)]
    private static extern int prctl(int option, nint argument2, nint argument3, nint argument4, nint argument5);
}
