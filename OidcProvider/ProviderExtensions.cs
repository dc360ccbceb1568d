using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace AspireChat.OidcProvider;

/// <summary>
/// OpenIddict without a database: discovery, published keys, the client-credentials grant for any client, and the authorization code flow with
/// PKCE for any page. A request names whom the token is for (<c>user</c>, <c>name</c>, <c>for</c>: an audience, <c>lifetime</c> in seconds),
/// because here the tests are the provider's administrators; a page's user types their name.
/// </summary>
internal static class ProviderExtensions
{
    private const string User = "user";
    private const string Audience = "for";
    private const string Lifetime = "lifetime";

    public static void AddProvider(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SigningKeys>();
        builder.Services.AddCors(cors => cors.AddDefaultPolicy(any => any.AllowAnyOrigin().AllowAnyHeader().AllowAnyMethod()));
        builder.Services.AddOpenIddict().AddServer(server =>
        {
            server.EnableDegradedMode();
            server.SetTokenEndpointUris("connect/token");
            server.SetAuthorizationEndpointUris("connect/authorize");
            server.AllowClientCredentialsFlow();
            server.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange().AllowRefreshTokenFlow();
            server.RegisterScopes(Scopes.Profile, Scopes.OfflineAccess);
            // Resource servers read the tokens by the published keys alone.
            server.DisableAccessTokenEncryption();
            server.AddEphemeralEncryptionKey();
            server.AddSigningCredentials(SigningKeys.Create("one", SecurityAlgorithms.RsaSha256));
            server.UseAspNetCore().DisableTransportSecurityRequirement().EnableTokenEndpointPassthrough().EnableAuthorizationEndpointPassthrough();
            // Degraded mode knows no clients: each is accepted.
            server.AddEventHandler<OpenIddictServerEvents.ValidateTokenRequestContext>(handler => handler.UseInlineHandler(_ => default));
            server.AddEventHandler<OpenIddictServerEvents.ValidateAuthorizationRequestContext>(handler => handler.UseInlineHandler(_ => default));
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
        app.UseCors();
        app.UseAuthentication();
        // How often the discovery document was asked for.
        app.MapGet("/readings", () => Volatile.Read(ref readings));
        app.MapPost("/connect/token", (Delegate)IssueAsync);
        app.MapMethods("/connect/authorize", [HttpMethods.Get, HttpMethods.Post], Authorize);
        app.MapPut("/keys/{id}", (string id, string algorithm, SigningKeys keys) => keys.Add(id, algorithm));
        app.MapDelete("/keys/{id}", (string id, SigningKeys keys) => keys.Withdraw(id));
    }

    private static async Task<IResult> IssueAsync(HttpContext context)
    {
        var request = context.GetOpenIddictServerRequest() ?? throw new InvalidOperationException("This is no token request.");
        if (!request.IsAuthorizationCodeGrantType() && !request.IsRefreshTokenGrantType())
        {
            return SignIn(request, (string?)request[User] ?? request.ClientId);
        }

        // The code and the refresh token hold what their user signed in with.
        var result = await context.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
        return Results.SignIn(result.Principal!, new AuthenticationProperties(), OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }

    /// <summary>Asks the page's user for a name, and believes it.</summary>
    private static IResult Authorize(HttpContext context)
    {
        var request = context.GetOpenIddictServerRequest() ?? throw new InvalidOperationException("This is no authorization request.");
        if ((string?)request[User] is { Length: > 0 } user)
        {
            return SignIn(request, user);
        }

        var kept = string.Concat(context.Request.Query.Select(
            pair => $"<input type=hidden name=\"{HtmlEncoder.Default.Encode(pair.Key)}\" value=\"{HtmlEncoder.Default.Encode($"{pair.Value}")}\">"));
        return Results.Content(
            $"<!doctype html><title>Provider</title><form>{kept}<label>User <input name=user autofocus></label><button>Continue</button></form>", "text/html");
    }

    private static IResult SignIn(OpenIddictRequest request, string? user)
    {
        var identity = new ClaimsIdentity(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme, Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, user);
        identity.SetClaim(Claims.Name, (string?)request[Claims.Name]);
        identity.SetAudiences((string?)request[Audience] ?? "aspirechat");
        if (int.TryParse((string?)request[Lifetime], out var seconds))
        {
            identity.SetAccessTokenLifetime(TimeSpan.FromSeconds(seconds));
        }

        identity.SetDestinations(_ => [Destinations.AccessToken]);
        identity.SetScopes(request.GetScopes());
        return Results.SignIn(
            new ClaimsPrincipal(identity), new AuthenticationProperties(), OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }
}
