using AspireChat.Client;
using Microsoft.Extensions.Options;

namespace AspireChat.Shop;

/// <summary>What connects the shop with its chat.</summary>
internal static class Chat
{
    public static void AddChat(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<ChatOptions>().BindConfiguration(ChatOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ChatTokens>();
        builder.Services.AddTransient<OrderRooms>();
        builder.Services.AddTransient<OrderBot>();
        // The server API. Its options need services of the shop, which the call's own argument cannot give.
        builder.Services.AddAspireChatServerClient(_ => { });
        builder.Services.AddOptions<ChatServerClientOptions>().Configure<ChatTokens, IOptions<ChatOptions>>((server, tokens, chat) =>
        {
            server.Gateway = chat.Value.Gateway;
            server.TokenProvider = _ => ValueTask.FromResult(tokens.ForServer());
        });
    }

    /// <summary>The page may load the client from the gateway and speak to it. No other address, and no script in the page's text.</summary>
    public static void UsePagePolicy(this WebApplication app)
    {
        var gateway = app.Services.GetRequiredService<IOptions<ChatOptions>>().Value.Gateway!.GetLeftPart(UriPartial.Authority);
        var socket = "ws" + gateway["http".Length..];
        var policy = $"default-src 'none'; script-src 'self' {gateway}; connect-src 'self' {gateway} {socket}; style-src 'self'; " +
            "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
        app.Use((context, next) =>
        {
            context.Response.Headers.ContentSecurityPolicy = policy;
            return next(context);
        });
    }
}
