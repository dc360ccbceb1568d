using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace AspireChat.OidcProvider;

/// <summary>
/// OpenIddict without a database: discovery, published keys, and the client-credentials grant for any client. A request names whom the token
/// is for (<c>user</c>, <c>name</c>, <c>for</c>: an audience, <c>lifetime</c> in seconds), because here the tests are the provider's administrators.
/// </summary>
internal static class ProviderExtensions
{
    private const string User = "user";
    private const string Audience = "for";
    private const string Lifetime = "lifetime";

    public static void AddProvider(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SigningKeys>();
        builder.Services.AddOpenIddict().AddServer(server =>
        {
            server.EnableDegradedMode();
            server.SetTokenEndpointUris("connect/token");
            server.AllowClientCredentialsFlow();
            // Resource servers read the tokens by the published keys alone.
            server.DisableAccessTokenEncryption();
            server.AddEphemeralEncryptionKey();
            server.AddSigningCredentials(SigningKeys.Create("one", SecurityAlgorithms.RsaSha256));
            server.UseAspNetCore().DisableTransportSecurityRequirement().EnableTokenEndpointPassthrough();
            // Degraded mode knows no clients: each is accepted.
            server.AddEventHandler<OpenIddictServerEvents.ValidateTokenRequestContext>(handler => handler.UseInlineHandler(_ => default));
        });
    }

    public static void MapProvider(this WebApplication app)
    {
        var readings = 0;
        app.Use((context, next) =>
        {
            if (context.Request.Path == "/.well-known/openid-configuration")
            {
                Interlocked.Increment(ref readings);
            }

            return next(context);
        });
        app.UseAuthentication();
        // How often the discovery document was asked for.
        app.MapGet("/readings", () => Volatile.Read(ref readings));
        app.MapPost("/connect/token", Issue);
        app.MapPut("/keys/{id}", (string id, string algorithm, SigningKeys keys) => keys.Add(id, algorithm));
        app.MapDelete("/keys/{id}", (string id, SigningKeys keys) => keys.Withdraw(id));
    }

    private static IResult Issue(HttpContext context)
    {
        var request = context.GetOpenIddictServerRequest() ?? throw new InvalidOperationException("This is no token request.");
        var identity = new ClaimsIdentity(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme, Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, (string?)request[User] ?? request.ClientId);
        identity.SetClaim(Claims.Name, (string?)request[Claims.Name]);
        identity.SetAudiences((string?)request[Audience] ?? "aspirechat");
        if (int.TryParse((string?)request[Lifetime], out var seconds))
        {
            identity.SetAccessTokenLifetime(TimeSpan.FromSeconds(seconds));
        }

        identity.SetDestinations(_ => [Destinations.AccessToken]);
        return Results.SignIn(new ClaimsPrincipal(identity), new AuthenticationProperties(), OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }
}
