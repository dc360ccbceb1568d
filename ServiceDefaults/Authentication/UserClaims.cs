using System.Security.Claims;
using System.Text.Json;
using AspireChat.Contracts;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Maps a provider's claims to the ones that this system reads, under one name each, whatever the provider calls them: <c>sub</c>,
/// <c>name</c>, <c>picture</c>, <c>scope</c>, <c>rooms</c>, <c>exp</c> and <c>iat</c>. All others are dropped. Thread-safe.
/// </summary>
internal sealed class UserClaims(JwtOptions options)
{
    /// <summary>The name of the claim that holds a picture's URL (OpenID Connect Core §5.1).</summary>
    public const string Picture = "picture";

    public const string Scope = "scope";

    /// <summary>
    /// Null: <paramref name="identity"/> is the token's user. Otherwise why there is none. A token names exactly one user, by an id that fits
    /// into keys, channels and paths: one with another id is refused like a forged one, because the id goes into Redis keys as it is.
    /// </summary>
    public SecurityTokenException? Read(JsonWebToken token, ClaimsIdentity claims, out ClaimsIdentity identity)
    {
        identity = new ClaimsIdentity(claims.AuthenticationType, JwtRegisteredClaimNames.Sub, null);
        if (!TrySingle(claims, options.UserClaim, out var user) || !UserIds.IsValid(user))
        {
            return new TokenUserException();
        }

        // An empty list would leave no claim at all, and must not read as "everything".
        if (token.TryGetPayloadValue<object>(RoomGrants.Claim, out _))
        {
            var rooms = claims.FindAll(RoomGrants.Claim).ToList();
            if (rooms is not [{ ValueType: JsonClaimValueTypes.Json } map] || !RoomGrants.TryParse(map.Value, out _))
            {
                return new TokenRoomsException();
            }

            identity.AddClaim(new Claim(RoomGrants.Claim, map.Value, JsonClaimValueTypes.Json));
        }

        identity.AddClaim(new Claim(JwtRegisteredClaimNames.Sub, user));
        if (TrySingle(claims, options.NameClaim, out var name))
        {
            identity.AddClaim(new Claim(JwtRegisteredClaimNames.Name, name));
        }

        if (TrySingle(claims, options.PictureClaim, out var picture))
        {
            identity.AddClaim(new Claim(Picture, picture));
        }

        if (IssuedAt(token) is { } issued)
        {
            identity.AddClaim(new Claim(JwtRegisteredClaimNames.Iat, issued));
        }

        identity.AddClaims(claims.FindAll(claim => claim.Type is Scope or JwtRegisteredClaimNames.Exp));
        return null;
    }

    /// <summary>As the token has it: the library cuts the fraction off, by which a token is told from one that was revoked in its second.</summary>
    private static string? IssuedAt(JsonWebToken token)
    {
        using var payload = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedPayload));
        return payload.RootElement.TryGetProperty(JwtRegisteredClaimNames.Iat, out var issued) ? issued.GetRawText() : null;
    }

    private static bool TrySingle(ClaimsIdentity claims, string type, out string value)
    {
        var found = claims.FindAll(type).Take(2).ToList();
        value = found.Count == 1 ? found[0].Value : "";
        return found.Count == 1;
    }
}
