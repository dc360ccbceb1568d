using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using AspireChat.LocalHost.Publishing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AspireChat.LocalHost.Running;

internal static class LocalHostServices
{
    public static void AddLocalHost(this IServiceCollection services, IConfiguration configuration, string appHostDirectory)
    {
        services.AddOptions<LocalHostOptions>().BindConfiguration(LocalHostOptions.Section).ValidateDataAnnotations().ValidateOnStart();

        // Every level of the stop order may use up its grace.
        services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMinutes(5));
        var data = new DataDirectory(configuration, appHostDirectory);
        services.AddSingleton(data);
        services.AddSingleton(new GeneratedSecrets(data));
        services.AddSingleton<HostConsole>();
        services.AddSingleton<ProcessSpawner>();
        services.AddSingleton<EndpointAllocator>();
        services.AddSingleton<ResourceLoggerService>();
        services.AddSingleton(sp => new ResourceCommandService(sp.GetRequiredService<LocalOrchestrator>()));
        services.AddSingleton<LocalOrchestrator>();
        services.AddSingleton<Publisher>();

        // One host either runs the model or writes it down.
        services.AddSingleton<IHostedService>(sp => sp.GetRequiredService<DistributedApplicationExecutionContext>().IsPublishMode
            ? sp.GetRequiredService<Publisher>()
            : sp.GetRequiredService<LocalOrchestrator>());
    }
}
