using System.Security.Claims;
using AspireChat.Contracts;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.ServiceDefaults;

/// <summary>The identity that a verified user token proves.</summary>
/// <param name="Id">The user id, checked against <see cref="UserIds.IsValid"/>.</param>
/// <param name="Name">The display name, when the token has one.</param>
/// <param name="Expires">When the token stops being good.</param>
/// <param name="IsAdmin">The token's scope holds <c>chat:admin</c>.</param>
public sealed record ChatUser(string Id, string? Name, DateTimeOffset Expires, bool IsAdmin)
{
    /// <summary>What the token has as the picture's URL; null: nothing.</summary>
    public string? Picture { get; init; }

    /// <summary>All that the token allows in rooms. Null: it does not say, and the rooms' own rules decide.</summary>
    public RoomGrants? Rooms { get; init; }

    /// <summary>When the token was issued, Unix milliseconds; null: it does not say.</summary>
    public long? IssuedAt { get; init; }

    /// <summary>What the token says of how the user is shown; null: nothing.</summary>
    public UserProfile? Profile => UserProfile.From(Name, Picture);

    /// <summary>
    /// Reads the claims of a principal that <see cref="ChatAuthenticationExtensions.AddChatAuthentication"/>'s scheme verified.
    /// </summary>
    public static ChatUser From(ClaimsPrincipal principal) => new(
        principal.FindFirstValue(JwtRegisteredClaimNames.Sub) ?? throw new InvalidOperationException("The request is not authenticated."),
        principal.FindFirstValue(JwtRegisteredClaimNames.Name),
        TokenTimes.Parse(principal.FindFirstValue(JwtRegisteredClaimNames.Exp))
            ?? throw new InvalidOperationException("The token has no end."),
        HasScope(principal, ChatPolicies.AdminScope))
    {
        Picture = principal.FindFirstValue(UserClaims.Picture),
        Rooms = principal.FindFirstValue(RoomGrants.Claim) is not { } rooms ? null
            : RoomGrants.TryParse(rooms, out var grants) ? grants
            : throw new InvalidOperationException("The rooms claim was not verified."),
        IssuedAt = TokenTimes.ParseMilliseconds(principal.FindFirstValue(JwtRegisteredClaimNames.Iat)),
    };

    /// <summary>Whether the token was revoked.</summary>
    public ValueTask<RevocationState> StateInAsync(ITokenRevocations revocations) => revocations.CheckAsync(Id, IssuedAt);

    internal static bool HasScope(ClaimsPrincipal principal, string scope) => principal.FindAll(UserClaims.Scope)
        .Any(claim => claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Contains(scope, StringComparer.Ordinal));
}
