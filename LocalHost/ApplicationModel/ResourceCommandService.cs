using AspireChat.LocalHost.Running;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Stops and starts resources by hand: the commands <c>start</c>, <c>stop</c> and <c>restart</c>. Thread-safe.</summary>
public class ResourceCommandService
{
    private readonly LocalOrchestrator _orchestrator;

    internal ResourceCommandService(LocalOrchestrator orchestrator) => _orchestrator = orchestrator;

    public Task<ExecuteCommandResult> ExecuteCommandAsync(
        IResource resource, string commandName, CancellationToken cancellationToken = default) =>
        ExecuteCommandAsync(resource.Name, commandName, cancellationToken);

    /// <summary>Does the command to one replica (by its id) or to all of a resource (by its name); returns when it is done.</summary>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(
        string resourceId, string commandName, CancellationToken cancellationToken = default)
    {
        var replicas = _orchestrator.Replicas.Where(r =>
            string.Equals(r.Id, resourceId, StringComparison.OrdinalIgnoreCase) ||
            string.Equals(r.Resource.Name, resourceId, StringComparison.OrdinalIgnoreCase)).ToList();
        if (replicas.Count == 0) return Failure($"There is no resource '{resourceId}' that can be started or stopped.");
        var stop = commandName == KnownResourceCommands.StopCommand || commandName == KnownResourceCommands.RestartCommand;
        var start = commandName == KnownResourceCommands.StartCommand || commandName == KnownResourceCommands.RestartCommand;
        if (!stop && !start) return Failure($"There is no command '{commandName}': start, stop and restart are.");
        if (stop) await Task.WhenAll(replicas.Select(r => r.HoldAsync())).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (start)
            foreach (var replica in replicas) replica.Want();
        return new ExecuteCommandResult { Success = true };
    }

    private static ExecuteCommandResult Failure(string message) => new() { Success = false, Message = message };
}
