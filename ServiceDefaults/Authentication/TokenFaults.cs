using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ServiceDefaults;

/// <summary>No keys are known to verify a token with, or it is not known whether it was revoked, so it is neither good nor bad.</summary>
internal sealed class TokenUnknownException(string why) : SecurityTokenException(why);

/// <summary>The claim that names the user is missing, is there twice, or is no user id.</summary>
internal sealed class TokenUserException() : SecurityTokenException("The user claim is not a valid user id.");

/// <summary>The claim <c>rooms</c> has another form.</summary>
internal sealed class TokenRoomsException() : SecurityTokenException("The rooms claim is malformed.");

/// <summary>An operator revoked the token.</summary>
internal sealed class TokenRevokedException() : SecurityTokenException("The token was revoked.");

/// <summary>
/// Why a token was refused, by kind: one sentence that helps whoever issues tokens, and never quotes the token. What an attacker learns from
/// it, anyone can read in the token itself.
/// </summary>
internal static class TokenFaults
{
    private const string Invalid = "token_invalid";

    public static ProblemReason Describe(Exception? fault) => fault switch
    {
        null => new("A token is needed.", "token_missing"),
        SecurityTokenExpiredException => new("The token has expired.", "token_expired"),
        SecurityTokenNotYetValidException => new("The token is not valid yet.", Invalid),
        SecurityTokenInvalidIssuerException => new("The token's issuer is not the one that is trusted here.", Invalid),
        SecurityTokenInvalidAudienceException => new("The token is for another audience.", Invalid),
        SecurityTokenInvalidAlgorithmException => new("The token is signed by an algorithm that is not accepted.", Invalid),
        SecurityTokenNoExpirationException => new("The token has no end.", Invalid),
        SecurityTokenInvalidLifetimeException => new("A time of the token is not valid.", Invalid),
        TokenRevokedException => new("The token was revoked.", "token_revoked"),
        TokenUserException => new("The token names no valid user id.", Invalid),
        TokenRoomsException => new("The token's rooms are not a map from rooms to lists of rights.", Invalid),
        SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidSignatureException =>
            new("The token's signature is not valid.", Invalid),
        _ => new("The token is not a readable JSON Web Token.", Invalid),
    };
}
