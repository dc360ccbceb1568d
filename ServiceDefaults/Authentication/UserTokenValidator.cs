using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Verifies a user token outside of a request's authentication, such as the <c>auth</c> frame of an open socket, by the very same
/// parameters. Thread-safe.
/// </summary>
public sealed class UserTokenValidator(IOptionsMonitor<JwtBearerOptions> options)
{
    /// <summary>The token's user, or null when the token is not acceptable for whatever reason.</summary>
    public async Task<ChatUser?> ValidateAsync(string token)
    {
        var bearer = options.Get(JwtBearerDefaults.AuthenticationScheme);
        var result = await bearer.TokenHandlers.Single().ValidateTokenAsync(token, bearer.TokenValidationParameters.Clone());
        return result.IsValid ? ChatUser.From(new ClaimsPrincipal(result.ClaimsIdentity)) : null;
    }
}
