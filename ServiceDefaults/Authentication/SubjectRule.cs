using System.Security.Claims;
using AspireChat.Contracts;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// A token names exactly one user, by an id that fits into keys, channels and paths. A well-signed token with any other <c>sub</c> is
/// refused like a forged one, because the id goes into Redis keys as it is.
/// </summary>
internal static class SubjectRule
{
    public static bool IsMet(ClaimsIdentity identity)
    {
        string? only = null;
        foreach (var claim in identity.FindAll(JwtRegisteredClaimNames.Sub))
        {
            if (only is not null)
            {
                return false;
            }

            only = claim.Value;
        }
        return UserIds.IsValid(only);
    }
}
