using System.Text.Json;
using System.Text.Json.Serialization;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.WebClient;

/// <summary>How the page signs its users in: <c>GET /sign-in.json</c>.</summary>
internal static class SignInSettings
{
    private const string Path = "/sign-in.json";

    /// <exception cref="OptionsValidationException"><c>Gateway:SignIn:ClientId</c> is set, and there is no provider.</exception>
    public static void MapSignInSettings(this WebApplication app)
    {
        var signIn = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value.SignIn;
        var jwt = app.Services.GetRequiredService<IOptions<JwtOptions>>().Value;
        if (signIn.ClientId is not null && jwt.Authority is null)
        {
            throw new OptionsValidationException(
                nameof(GatewayOptions), typeof(GatewayOptions), ["Gateway:SignIn:ClientId needs Jwt:Authority, the provider where the page is a client."]);
        }

        var byName = app.Environment.IsDevelopment() && jwt.Authority is null;
        app.MapGet(Path, async (HttpContext context, IProviderEndpoints provider) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            if (signIn.ClientId is not { } client)
            {
                await WriteAsync(context, new SignInAnswer(byName, null));
            }
            else if (await provider.GetAsync() is { } endpoints)
            {
                await WriteAsync(context, new SignInAnswer(byName, new ProviderAnswer(
                    endpoints.Authorization.AbsoluteUri, endpoints.Token.AbsoluteUri, client, signIn.Scope, jwt.UserClaim)));
            }
            else
            {
                await context.WriteProblemAsync(
                    StatusCodes.Status503ServiceUnavailable, "The identity provider cannot be reached.", ErrorCodes.Unavailable, TimeSpan.FromSeconds(5));
            }
        });
    }

    private static Task WriteAsync(HttpContext context, SignInAnswer answer) => context.Response.WriteAsJsonAsync(answer, SignInJson.Default.SignInAnswer);
}

/// <param name="ByName">Whether a name is enough: in Development.</param>
/// <param name="Provider">Null: no provider is set for the page.</param>
internal sealed record SignInAnswer(bool ByName, ProviderAnswer? Provider);

internal sealed record ProviderAnswer(string Authorization, string Token, string ClientId, string Scope, string UserClaim);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(SignInAnswer))]
internal sealed partial class SignInJson : JsonSerializerContext;
