using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.Gateway.RateLimits;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.Gateway.Tokens;

/// <summary>
/// <c>/dev/token</c>: a token for whoever asks, so that the system can be tried without an identity provider. It exists in the Development
/// environment only, and answers under loopback names only. A page whose name was made to lead to this machine (DNS rebinding) gets no
/// token.
/// </summary>
internal static class DevTokens
{
    private const int DefaultSeconds = 3600;
    private const int LongestSeconds = 24 * 3600;
    private const int LongestName = 128;

    private static readonly JsonWebTokenHandler Writer = new() { SetDefaultTimesOnTokenCreation = false };

    public static void MapDevTokens(this WebApplication app)
    {
        var hosts = new HashSet<string>(
            app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value.DevTokenHosts, StringComparer.OrdinalIgnoreCase);
        // With an identity provider the services accept no user token that the shared key signed.
        var provider = app.Services.GetRequiredService<IOptions<JwtOptions>>().Value.Authority;
        if (!app.Environment.IsDevelopment() || provider is not null)
        {
            return;
        }

        var tokens = app.MapGroup("/dev/token").WithMetadata(RouteLimit.DevTokens);
        tokens.AddEndpointFilter((call, next) => IsOwn(call.HttpContext.Request.Host, hosts)
            ? next(call)
            : ForbidHost(call.HttpContext));
        tokens.MapPost("", async (HttpContext context) =>
        {
            DevTokenRequest? request;
            try
            {
                // The content type is ignored, because people call this with curl.
                request = await JsonSerializer.DeserializeAsync(
                    context.Request.Body, DevTokenJson.Default.DevTokenRequest, context.RequestAborted);
            }
            catch (JsonException)
            {
                request = null;
            }
            await AnswerAsync(context, request ?? new DevTokenRequest(null, null, null, null, null, null));
        });

        tokens.MapGet("", (HttpContext context, string? user, string? name, int? expiresIn, string? scope) =>
            AnswerAsync(context, new DevTokenRequest(user, name, expiresIn, scope, null, null)));
    }

    private static bool IsOwn(HostString host, HashSet<string> allowed) =>
        string.Equals(host.Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Host, out var address) && IPAddress.IsLoopback(address))
        || allowed.Contains(host.Host);

    private static async ValueTask<object?> ForbidHost(HttpContext context)
    {
        context.RequestServices.GetRequiredService<RefusalMetrics>().Add(Refusal.Host);
        await context.WriteProblemAsync(
            StatusCodes.Status403Forbidden,
            "Development tokens are given under loopback names only. Gateway:DevTokenHosts adds others.",
            "host_forbidden");
        return null;
    }

    private static Task AnswerAsync(HttpContext context, DevTokenRequest request)
    {
        if (FaultOf(request) is { } fault)
        {
            return context.WriteProblemAsync(StatusCodes.Status400BadRequest, fault, ErrorCodes.BadRequest);
        }

        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        var jwt = context.RequestServices.GetRequiredService<IOptions<JwtOptions>>().Value;
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var expires = now.AddSeconds(request.ExpiresIn ?? DefaultSeconds);
        var claims = new Dictionary<string, object>
        {
            [jwt.UserClaim] = request.User!,
            // To the millisecond: a token that is asked for right after a revocation is a new one.
            [JwtRegisteredClaimNames.Iat] = time.GetUtcNow().ToUnixTimeMilliseconds() / 1_000.0,
        };
        if (request.Name is { } name)
        {
            claims[jwt.NameClaim] = name;
        }

        if (request.Picture is { } picture)
        {
            claims[jwt.PictureClaim] = picture;
        }

        if (request.Rooms is { } rooms)
        {
            claims[RoomGrants.Claim] = rooms;
        }

        if (request.Scope is { } scope)
        {
            claims["scope"] = scope;
        }

        var token = Writer.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = jwt.Issuer,
            Audience = jwt.Audience,
            NotBefore = now.UtcDateTime,
            Expires = expires.UtcDateTime,
            Claims = claims,
            SigningCredentials = new SigningCredentials(jwt.CreateSigningKey(), jwt.EffectiveAlgorithms[0]),
        });
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(
            new DevToken(token, request.User!, expires.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'")), DevTokenJson.Default.DevToken);
    }

    private static string? FaultOf(DevTokenRequest request) => request switch
    {
        { User: null } => "A JSON object with a user is needed.",
        _ when !UserIds.IsValid(request.User) => $"user must be {UserIds.Rule}.",
        { Name.Length: 0 or > LongestName } => $"name: 1 to {LongestName} characters are allowed.",
        { ExpiresIn: < 1 or > LongestSeconds } => $"expiresIn: 1 to {LongestSeconds} seconds are allowed.",
        { Picture: { } picture } when !UserProfile.IsPicture(picture) =>
            $"picture: an https URL of at most {UserProfile.LongestPicture} characters is allowed.",
        { Rooms: { } rooms } when !RoomGrants.TryParse(rooms.GetRawText(), out _) =>
            "rooms: a map from room ids, or prefixes ending in *, to lists of read, join, send and moderate is allowed.",
        { Scope: not null and not ChatPolicies.AdminScope } => $"scope: only {ChatPolicies.AdminScope} is known.",
        _ => null,
    };
}

internal sealed record DevTokenRequest(
    string? User, string? Name, int? ExpiresIn, string? Scope, string? Picture, JsonElement? Rooms);

internal sealed record DevToken(string Token, string User, string Expires);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(DevTokenRequest))]
[JsonSerializable(typeof(DevToken))]
internal sealed partial class DevTokenJson : JsonSerializerContext;
