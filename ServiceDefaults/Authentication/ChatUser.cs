using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.ServiceDefaults;

/// <summary>The identity that a verified user token proves.</summary>
/// <param name="Id">The user id: <c>sub</c>, checked against the identifier rule.</param>
/// <param name="Name">The display name, when the token carries one.</param>
/// <param name="Expires">When the token stops being good.</param>
/// <param name="IsAdmin">The token's scope holds <c>chat:admin</c>.</param>
public sealed record ChatUser(string Id, string? Name, DateTimeOffset Expires, bool IsAdmin)
{
    /// <summary>
    /// Reads the claims of a principal that <see cref="ChatAuthenticationExtensions.AddChatAuthentication"/>'s scheme verified.
    /// </summary>
    public static ChatUser From(ClaimsPrincipal principal) => new(
        principal.FindFirstValue(JwtRegisteredClaimNames.Sub) ?? throw new InvalidOperationException("The request is not authenticated."),
        principal.FindFirstValue(JwtRegisteredClaimNames.Name),
        TokenTimes.Parse(principal.FindFirstValue(JwtRegisteredClaimNames.Exp))
            ?? throw new InvalidOperationException("The token has no end."),
        HasScope(principal, ChatPolicies.AdminScope));

    internal static bool HasScope(ClaimsPrincipal principal, string scope) => principal.FindAll("scope")
        .Any(claim => claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Contains(scope, StringComparer.Ordinal));
}
