using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AspireChat.ServiceDefaults;

public static class ConnectionHandoverExtensions
{
    /// <summary>
    /// Gives the requests of all endpoints the <see cref="IConnectionHandover"/>, and memory back when many such connections have come or
    /// gone (<see cref="MemoryOptions"/>).
    /// </summary>
    public static IServiceCollection AddConnectionHandover(this IServiceCollection services)
    {
        var count = new HandoverCount();
        services.AddValidatedOptions<MemoryOptions>(MemoryOptions.Section);
        services.AddSingleton(count);
        services.AddHostedService<StormTrim>();
        // First, because the server applies defaults to endpoints that are declared after them only.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<KestrelServerOptions>>(new ConfigureOptions<KestrelServerOptions>(
            kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(http => ConnectionHandover.Around(http, count))))));
        return services;
    }
}
