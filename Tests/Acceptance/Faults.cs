using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AspireChat.Tests.Acceptance;

/// <summary>Finds the operating system processes behind the AppHost's resources, and sends them signals.</summary>
internal static class Faults
{
    /// <summary>Process ids of a resource's running replicas by replica, from what the host publishes about them.</summary>
    public static async Task<IReadOnlyDictionary<string, int>> ProcessesAsync(DistributedApplication application, string resource, int count)
    {
        using var patience = new CancellationTokenSource(ChatSocket.Patience);
        var found = new Dictionary<string, int>();
        await foreach (var change in application.ResourceNotifications.WatchAsync(patience.Token))
        {
            if (change.Resource.Name != resource)
                continue;
            var id = change.Snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value;
            if (change.Snapshot.State?.Text == KnownResourceStates.Running && id is not null)
                found[change.ResourceId] = Convert.ToInt32(id, CultureInfo.InvariantCulture);
            else
                found.Remove(change.ResourceId);
            if (found.Count == count)
                return found;
        }
        throw new InvalidOperationException($"{resource} does not have {count} running replicas.");
    }

    public static void Kill(int process) => Signal(process, "KILL");

    /// <summary>The process stops where it is: connections stay open and nothing answers.</summary>
    public static void Pause(int process) => Signal(process, "STOP");

    public static void Continue(int process) => Signal(process, "CONT");

    private static void Signal(int process, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
