using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Verifies a user token that comes outside of a request, such as in the <c>auth</c> frame of an open socket, exactly as a request's token
/// is verified. Thread-safe.
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
