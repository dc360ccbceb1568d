using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace AspireChat.ServiceDefaults;

/// <param name="User">The token's user; null: it is not acceptable.</param>
/// <param name="IsUnknown">Nobody can say now whether it is: the same token may be good later.</param>
public readonly record struct TokenVerdict(ChatUser? User, bool IsUnknown);

/// <summary>
/// Verifies a user token that comes outside of a request, such as in the <c>auth</c> frame of an open socket, exactly as a request's token
/// is verified. Thread-safe.
/// </summary>
public sealed class UserTokenValidator(IOptionsMonitor<JwtBearerOptions> options)
{
    /// <summary>The token's user, or null when the token is not acceptable for whatever reason.</summary>
    public async Task<ChatUser?> ValidateAsync(string token) => (await CheckAsync(token)).User;

    public async Task<TokenVerdict> CheckAsync(string token)
    {
        var bearer = options.Get(JwtBearerDefaults.AuthenticationScheme);
        var result = await bearer.TokenHandlers.Single().ValidateTokenAsync(token, bearer.TokenValidationParameters.Clone());
        return new TokenVerdict(
            result.IsValid ? ChatUser.From(new ClaimsPrincipal(result.ClaimsIdentity)) : null, result.Exception is TokenUnknownException);
    }
}
