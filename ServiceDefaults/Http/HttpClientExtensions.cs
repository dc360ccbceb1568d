using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http.Resilience;

namespace AspireChat.ServiceDefaults;

/// <summary>HTTP between services.</summary>
public static class HttpClientExtensions
{
    internal static void AddHttpClientDefaults(this IHostApplicationBuilder builder)
    {
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            // Timeouts, circuit breaker and retries. A POST that timed out may have been carried out, so only safe methods are repeated.
            http.AddStandardResilienceHandler(options => options.Retry.DisableForUnsafeHttpMethods());
            http.AddServiceDiscovery();
        });
    }

    /// <summary>
    /// A typed client of another service's <c>/internal/…</c> calls: base address by service discovery, each request with a short-lived
    /// internal token. Needs <see cref="ChatAuthenticationExtensions.AddChatAuthentication"/>.
    /// </summary>
    /// <param name="builder">The service's builder.</param>
    /// <param name="service">The resource name of the called service, such as <c>presence</c>.</param>
    public static IHttpClientBuilder AddInternalHttpClient<TClient>(this IHostApplicationBuilder builder, string service)
        where TClient : class => builder.AddInternalToken(builder.Services.AddHttpClient<TClient>(), service);

    /// <inheritdoc cref="AddInternalHttpClient{TClient}"/>
    public static IHttpClientBuilder AddInternalHttpClient<TClient, TImplementation>(this IHostApplicationBuilder builder, string service)
        where TClient : class
        where TImplementation : class, TClient =>
        builder.AddInternalToken(builder.Services.AddHttpClient<TClient, TImplementation>(), service);

    private static IHttpClientBuilder AddInternalToken(this IHostApplicationBuilder builder, IHttpClientBuilder client, string service)
    {
        builder.Services.TryAddTransient<InternalTokenHandler>();
        return client
            .ConfigureHttpClient(http => http.BaseAddress = new Uri($"http://{service}"))
            // Singletons keep their client for the life of the process, so its connections must be renewed to follow changed addresses.
            .UseSocketsHttpHandler((handler, _) => handler.PooledConnectionLifetime = TimeSpan.FromMinutes(2))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .AddHttpMessageHandler<InternalTokenHandler>();
    }
}
