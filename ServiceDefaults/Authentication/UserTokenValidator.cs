using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Verifies a user token outside of a request's authentication, such as the <c>auth</c> frame of an open socket, by the very same
/// parameters. Thread-safe.
/// </summary>
public sealed class UserTokenValidator(IOptionsMonitor<JwtBearerOptions> options)
{
    private static readonly JsonWebTokenHandler Reader = new() { MapInboundClaims = false };

    /// <summary>The token's user, or null when the token is not acceptable for whatever reason.</summary>
    public async Task<ChatUser?> ValidateAsync(string token)
    {
        var bearer = options.Get(JwtBearerDefaults.AuthenticationScheme);
        var parameters = bearer.TokenValidationParameters.Clone();
        parameters.ConfigurationManager = bearer.ConfigurationManager as BaseConfigurationManager;
        var result = await Reader.ValidateTokenAsync(token, parameters);
        if (!result.IsValid || result.ClaimsIdentity is not { } identity || !SubjectRule.IsMet(identity))
        {
            return null;
        }

        return ChatUser.From(new ClaimsPrincipal(identity));
    }
}
