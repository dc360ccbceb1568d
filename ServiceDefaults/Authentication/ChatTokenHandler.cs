using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Verifies tokens for requests and for the <c>auth</c> frame alike. It asks for more than the library: valid times, and, of a user's
/// token, a valid subject. A token that it refuses is a result and never an exception. Thread-safe.
/// </summary>
/// <param name="hasUser">The token must name a user.</param>
/// <param name="keys">Where the keys come from; null: they stand in the parameters.</param>
internal sealed class ChatTokenHandler(bool hasUser, IssuerKeys? keys = null) : JsonWebTokenHandler
{
    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        try
        {
            return Checked(keys is null
                ? await base.ValidateTokenAsync(token, validationParameters)
                : await ValidateAsync(token, validationParameters, keys));
        }
        catch (Exception e) when (e is SecurityTokenException or ArgumentException or FormatException or OverflowException)
        {
            return Refused(e);
        }
    }

    private async Task<TokenValidationResult> ValidateAsync(string token, TokenValidationParameters parameters, IssuerKeys source)
    {
        if (await source.GetAsync() is not { } keys)
        {
            return Refused(new IssuerUnreachableException());
        }

        var result = await base.ValidateTokenAsync(token, keys.ApplyTo(parameters));
        // The issuer may have begun to sign with a new key.
        return result.Exception is SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidSignatureException
            && await source.GetNewerAsync(keys) is { } newer
                ? await base.ValidateTokenAsync(token, newer.ApplyTo(parameters))
                : result;
    }

    private TokenValidationResult Checked(TokenValidationResult result)
    {
        if (!result.IsValid)
        {
            return result;
        }

        if (!TokenTimes.AreValid(result.ClaimsIdentity))
        {
            return Refused(new SecurityTokenInvalidLifetimeException("A time of the token is no date."));
        }

        return hasUser && !SubjectRule.IsMet(result.ClaimsIdentity)
            ? Refused(new SecurityTokenException("The subject is not a valid user id."))
            : result;
    }

    private static TokenValidationResult Refused(Exception fault) => new() { IsValid = false, Exception = fault };
}

/// <summary>No keys are known to verify a token with, so it is neither good nor bad.</summary>
internal sealed class IssuerUnreachableException() : SecurityTokenException("The issuer's keys could not be read.");
