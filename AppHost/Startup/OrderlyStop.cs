using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AspireChat.AppHost.Startup;

/// <summary>
/// Stops the services before the servers that they need. The orchestrator ends everything at once when the AppHost is gone: a node could then
/// neither say goodbye to its clients nor write its last cursors, and would wait for a Redis that is away.
/// </summary>
internal static class OrderlyStop
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(7);

    public static IDistributedApplicationBuilder AddOrderlyStop(this IDistributedApplicationBuilder builder)
    {
        if (builder.ExecutionContext.IsRunMode)
        {
            builder.Services.AddHostedService<Stopper>();
        }

        return builder;
    }

    private sealed class Stopper(DistributedApplicationModel model, ResourceCommandService commands) : IHostedLifecycleService
    {
        public async Task StoppingAsync(CancellationToken cancellationToken)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Limit);
            try
            {
                // All replicas of each; one that has ended refuses at once. What a person starts is left out: it is a client of the services,
                // and the orchestrator's answer for one that was never started comes only after the limit.
                IEnumerable<ProjectResource> services = model.Resources.OfType<ProjectResource>()
                    .Where(project => !project.HasAnnotationOfType<ExplicitStartupAnnotation>());
                await Task.WhenAll(services.Select(service =>
                    commands.ExecuteCommandAsync(service, KnownResourceCommands.StopCommand, limit.Token)));
            }
            catch (OperationCanceledException)
            {
                // The orchestrator ends the rest.
            }
        }

        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
