using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AspireChat.Client.DependencyInjection;

/// <summary>Takes from the container what the application did not set.</summary>
internal sealed class ContainerOptions(
    IServiceProvider services, IHttpClientFactory http, ILoggerFactory loggers, IServiceScopeFactory scopes) : IPostConfigureOptions<ChatClientOptions>
{
    public void PostConfigure(string? name, ChatClientOptions options)
    {
        options.LoggerFactory ??= loggers;
        options.Http ??= new HttpMessageInvoker(new FactoryHandler(http));
        if (options.TimeProvider == TimeProvider.System)
        {
            options.TimeProvider = services.GetService<TimeProvider>() ?? TimeProvider.System;
        }

        if (options.TokenProvider is null && services.GetService<IServiceProviderIsService>()?.IsService(typeof(IChatTokenProvider)) != false)
        {
            options.TokenProvider = TokenAsync;
        }
    }

    // In a scope of its own, so that the provider may use what lives as long as one request does, such as a database context.
    private async ValueTask<string> TokenAsync(CancellationToken cancellationToken)
    {
        var scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            return await scope.ServiceProvider.GetRequiredService<IChatTokenProvider>().GetTokenAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Asks the factory for each call, because a client that lives as long as the application would never see a new DNS entry.</summary>
    private sealed class FactoryHandler(IHttpClientFactory factory) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            factory.CreateClient(ChatClientServiceCollectionExtensions.ChatHttpClientName)
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }
}

/// <summary>Stops the start of an application whose options cannot work, with all that is wrong.</summary>
internal sealed class ChatClientOptionsValidator : IValidateOptions<ChatClientOptions>
{
    public ValidateOptionsResult Validate(string? name, ChatClientOptions options)
    {
        var problems = options.Problems().Select(each => $"{nameof(ChatClientOptions)}.{each.Problem}").ToList();
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
