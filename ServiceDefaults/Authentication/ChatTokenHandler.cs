using AspireChat.Contracts;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Verifies tokens for requests and for the <c>auth</c> frame alike. It asks for more than the library: a listed algorithm before anything
/// else, valid times, and, of a user's token, valid claims and no revocation. A token that it refuses is a result and never an exception.
/// Thread-safe.
/// </summary>
/// <param name="claims">What a user's token must say; null: it names no user.</param>
/// <param name="keys">Where the keys come from; null: they stand in the parameters.</param>
/// <param name="revocations">Which tokens were revoked; null: this service does not look.</param>
internal sealed class ChatTokenHandler(UserClaims? claims, IssuerKeys? keys = null, ITokenRevocations? revocations = null)
    : JsonWebTokenHandler
{
    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        try
        {
            if (token.Length > MaximumTokenSizeInBytes)
            {
                return Refused(new SecurityTokenMalformedException("The token is too long."));
            }

            var read = ReadJsonWebToken(token);
            // Looked at first: the library would call it a bad signature.
            if (!validationParameters.ValidAlgorithms.Contains(read.Alg, StringComparer.Ordinal))
            {
                return Refused(new SecurityTokenInvalidAlgorithmException("The algorithm is not listed."));
            }

            return await CheckAsync(read, keys is null
                ? await base.ValidateTokenAsync(read, validationParameters)
                : await ValidateAsync(read, validationParameters, keys));
        }
        catch (Exception e) when (e is SecurityTokenException or ArgumentException or FormatException or OverflowException)
        {
            return Refused(e);
        }
    }

    private async Task<TokenValidationResult> ValidateAsync(JsonWebToken token, TokenValidationParameters parameters, IssuerKeys source)
    {
        if (await source.GetAsync() is not { } keys)
        {
            return Refused(new TokenUnknownException("The issuer's keys could not be read."));
        }

        var result = await base.ValidateTokenAsync(token, keys.ApplyTo(parameters));
        // The issuer may have begun to sign with a new key.
        return result.Exception is SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidSignatureException
            && await source.GetNewerAsync(keys) is { } newer
                ? await base.ValidateTokenAsync(token, newer.ApplyTo(parameters))
                : result;
    }

    private async ValueTask<TokenValidationResult> CheckAsync(JsonWebToken token, TokenValidationResult result)
    {
        if (!result.IsValid)
        {
            return result;
        }

        if (!TokenTimes.AreValid(result.ClaimsIdentity))
        {
            return Refused(new SecurityTokenInvalidLifetimeException("A time of the token is no date."));
        }

        if (claims is null)
        {
            return result;
        }

        if (claims.Read(token, result.ClaimsIdentity, out var identity) is { } fault)
        {
            return Refused(fault);
        }

        result.ClaimsIdentity = identity;
        return revocations is null ? result : await ChatUser.From(new(identity)).StateInAsync(revocations) switch
        {
            RevocationState.Good => result,
            RevocationState.Revoked => Refused(new TokenRevokedException()),
            _ => Refused(new TokenUnknownException("It is not known whether the token was revoked.")),
        };
    }

    private static TokenValidationResult Refused(Exception fault) => new() { IsValid = false, Exception = fault };
}
