using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ServiceDefaults;

/// <summary>Names of the authorization policies. The default policy asks for any verified user.</summary>
public static class ChatPolicies
{
    /// <summary>A user whose scope holds <see cref="AdminScope"/>.</summary>
    public const string Admin = "admin";

    /// <summary>Another service of the system; no user token passes.</summary>
    public const string Internal = "internal";

    public const string AdminScope = "chat:admin";
}

/// <summary>Verification of user tokens and of internal tokens.</summary>
public static class ChatAuthenticationExtensions
{
    private const string InternalScheme = "Internal";

    /// <summary>
    /// Adds the user scheme (the default) and the internal scheme with the policies of <see cref="ChatPolicies"/>, the
    /// <see cref="UserTokenValidator"/> and the <see cref="InternalTokens"/>. A missing or short <c>Jwt:Key</c> stops the start.
    /// </summary>
    public static TBuilder AddChatAuthentication<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddValidatedOptions<JwtOptions>(JwtOptions.Section);
        services.TryAddSingleton<InternalTokens>();
        services.TryAddSingleton<UserTokenValidator>();
        services.TryAddSingleton<IssuerKeys>();
        services.TryAddSingleton<IProviderEndpoints>(provider => provider.GetRequiredService<IssuerKeys>());
        services.AddHostedService(provider => provider.GetRequiredService<IssuerKeys>());

        services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer();
        services.AddOwnTokens(InternalScheme, InternalTokens.Audience);
        LeaveOutKeyFiles(services);
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
            .Configure<IOptions<JwtOptions>, IServiceProvider>((bearer, jwt, provider) => ConfigureUserScheme(bearer, jwt.Value, provider));

        services.AddAuthorizationBuilder()
            .SetDefaultPolicy(new AuthorizationPolicyBuilder(JwtBearerDefaults.AuthenticationScheme).RequireAuthenticatedUser().Build())
            .AddPolicy(ChatPolicies.Admin, policy => policy
                .AddAuthenticationSchemes(JwtBearerDefaults.AuthenticationScheme)
                .RequireAuthenticatedUser()
                .RequireAssertion(context => ChatUser.HasScope(context.User, ChatPolicies.AdminScope)))
            .AddPolicy(ChatPolicies.Internal, policy => policy.AddAuthenticationSchemes(InternalScheme).RequireAuthenticatedUser());
        return builder;
    }

    /// <summary>
    /// Adds a scheme for tokens that the system signs for itself, always with <c>Jwt:Key</c>. No other kind of token has their audience, so
    /// no other scheme accepts them, and this one accepts no others. Call it after <see cref="AddChatAuthentication"/>.
    /// </summary>
    public static void AddOwnTokens(this IServiceCollection services, string scheme, string audience)
    {
        new AuthenticationBuilder(services).AddJwtBearer(scheme, _ => { });
        services.AddOptions<JwtBearerOptions>(scheme).Configure<IOptions<JwtOptions>>((bearer, jwt) =>
        {
            Configure(bearer, jwt.Value, audience, [SecurityAlgorithms.HmacSha256], new ChatTokenHandler(claims: null));
            bearer.TokenValidationParameters.IssuerSigningKey = jwt.Value.CreateSigningKey();
        });
    }

    /// <summary>
    /// AddAuthentication adds data protection for cookies, which nothing here uses. Its hosted service would write a key file into the home
    /// directory, or warn that it cannot in a container.
    /// </summary>
    private static void LeaveOutKeyFiles(IServiceCollection services)
    {
        var keys = services.FirstOrDefault(each => each.ServiceType == typeof(IHostedService)
            && each.ImplementationType?.FullName == "Microsoft.AspNetCore.DataProtection.Internal.DataProtectionHostedService");
        if (keys is not null)
        {
            services.Remove(keys);
        }
    }

    private static void ConfigureUserScheme(JwtBearerOptions bearer, JwtOptions jwt, IServiceProvider services)
    {
        var keys = jwt.Authority is null ? null : services.GetRequiredService<IssuerKeys>();
        var handler = new ChatTokenHandler(new UserClaims(jwt), keys, services.GetService<ITokenRevocations>());
        Configure(bearer, jwt, jwt.Audience, jwt.EffectiveAlgorithms, handler);
        if (keys is null)
        {
            bearer.TokenValidationParameters.IssuerSigningKey = jwt.CreateSigningKey();
        }
    }

    private static void Configure(
        JwtBearerOptions bearer, JwtOptions jwt, string audience, IReadOnlyList<string> algorithms, ChatTokenHandler handler)
    {
        bearer.TokenHandlers.Clear();
        bearer.TokenHandlers.Add(handler);
        bearer.MapInboundClaims = false;
        bearer.TokenValidationParameters = new TokenValidationParameters
        {
            ValidIssuer = jwt.Issuer,
            ValidAudience = audience,
            ValidAlgorithms = algorithms,
            ClockSkew = jwt.ClockSkew,
            NameClaimType = JwtRegisteredClaimNames.Sub,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            ValidateIssuer = true,
            ValidateAudience = true,
            ValidateLifetime = true,
            ValidateIssuerSigningKey = true,
            // The one configured key is tried whatever key id the token's header names.
            TryAllIssuerSigningKeys = true,
        };
        bearer.Events = new JwtBearerEvents { OnChallenge = Explain };
    }

    private static Task Explain(JwtBearerChallengeContext context)
    {
        if (context.AuthenticateFailure is TokenUnknownException)
        {
            context.HandleResponse();
            return context.HttpContext.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable, "Tokens cannot be verified now.", ErrorCodes.Unavailable, TimeSpan.FromSeconds(5));
        }

        context.HttpContext.Features.Set(TokenFaults.Describe(context.AuthenticateFailure));
        return Task.CompletedTask;
    }
}
