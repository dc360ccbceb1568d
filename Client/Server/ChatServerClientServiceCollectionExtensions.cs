using AspireChat.Client;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the server API for a product's backend.</summary>
public static class ChatServerClientServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ChatServerClient"/>, whose calls go through <c>IHttpClientFactory</c>. The options are checked when the application
    /// starts, and a message names the option that cannot work.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets at least the gateway and the token provider.</param>
    /// <returns>The HTTP client, e.g. to add handlers to it. It needs no handler for retries: the client has its own.</returns>
    public static IHttpClientBuilder AddAspireChatServerClient(this IServiceCollection services, Action<ChatServerClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<ChatServerClientOptions>().Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ChatServerClientOptions>, CallOptionsValidation<ChatServerClientOptions>>();
        return services.AddHttpClient(nameof(ChatServerClient)).AddTypedClient((http, provider) =>
            new ChatServerClient(http, provider.GetRequiredService<IOptions<ChatServerClientOptions>>().Value));
    }
}
