using AspireChat.Client;
using AspireChat.Client.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

// Where applications look for registrations.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers AspireChat's client.</summary>
public static class ChatClientServiceCollectionExtensions
{
    /// <summary>The name of the client's <see cref="HttpClient"/>, for <see cref="IHttpClientFactory"/>.</summary>
    public const string ChatHttpClientName = "AspireChat";

    /// <summary>
    /// Adds one <see cref="IChatClient"/> for the application, a singleton. It connects by <see cref="IChatClient.ConnectAsync"/> or with
    /// its first use, makes its HTTP calls with <see cref="IHttpClientFactory"/>, logs with the application's loggers and takes the
    /// <see cref="TimeProvider"/> of the container, where there is one. Bad options stop the start with a message that names them.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets <see cref="ChatClientOptions.Gateway"/> and, unless an <see cref="IChatTokenProvider"/> is
    /// registered, <see cref="ChatClientOptions.TokenProvider"/>.</param>
    /// <returns>The client's HTTP client, for handlers of the application's own.</returns>
    public static IHttpClientBuilder AddAspireChatClient(this IServiceCollection services, Action<ChatClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<ChatClientOptions>().Configure(configure).ValidateOnStart();
        return services.AddClient();
    }

    /// <summary>
    /// The same, with the options' plain values from configuration, e.g. <c>configuration.GetSection("AspireChat")</c> with
    /// <c>"Gateway": "https://chat.example.org"</c>.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configuration">The section that has the options.</param>
    /// <param name="configure">Sets what configuration cannot hold; called behind it.</param>
    /// <returns>The client's HTTP client, for handlers of the application's own.</returns>
    public static IHttpClientBuilder AddAspireChatClient(
        this IServiceCollection services, IConfiguration configuration, Action<ChatClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<ChatClientOptions>().Bind(configuration).Configure(configure ?? (_ => { })).ValidateOnStart();
        return services.AddClient();
    }

    private static IHttpClientBuilder AddClient(this IServiceCollection services)
    {
        services.AddLogging();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<ChatClientOptions>, ContainerOptions>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ChatClientOptions>, ChatClientOptionsValidator>());
        services.TryAddSingleton(provider => new ChatClient(provider.GetRequiredService<IOptions<ChatClientOptions>>().Value));
        services.TryAddSingleton<IChatClient>(provider => provider.GetRequiredService<ChatClient>());
        // The client ends its calls itself, by ConnectTimeout.
        return services.AddHttpClient(ChatHttpClientName, http => http.Timeout = Timeout.InfiniteTimeSpan);
    }
}
