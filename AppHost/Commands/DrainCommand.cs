using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.AppHost.Commands;

/// <summary><em>Drain</em> on a connection replica: its clients move to other replicas over the drain time, then it ends.</summary>
internal static class DrainCommand
{
    public static IResourceBuilder<ProjectResource> WithDrainCommand(this IResourceBuilder<ProjectResource> connection) =>
        connection.WithCommand("drain", "Drain", DrainAsync, new CommandOptions
        {
            Description = "Sends the clients of this replica to the others, one by one, and ends it. Start brings it back.",
            IconName = "ArrowExit",
            UpdateState = context => context.ResourceSnapshot.State?.Text == KnownResourceStates.Running
                ? ResourceCommandState.Enabled
                : ResourceCommandState.Disabled,
        });

    // A service drains when it is asked to end. Stop asks too, but kills what has not ended after ten seconds.
    private static async Task<ExecuteCommandResult> DrainAsync(ExecuteCommandContext context)
    {
        var notifications = context.Services.GetRequiredService<ResourceNotificationService>();
        if (!notifications.TryGetCurrentState(context.ResourceName, out var known) ||
            known.Snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is not { } id)
        {
            return CommandResults.Failure($"{context.ResourceName} does not run.");
        }

        using var kill = Process.Start("kill", ["-TERM", Convert.ToString(id, CultureInfo.InvariantCulture)!]);
        await kill.WaitForExitAsync(context.CancellationToken);
        return kill.ExitCode == 0 ? CommandResults.Success("Its clients are moving to the other replicas.") : CommandResults.Failure("It ended meanwhile.");
    }
}
