namespace AspireChat.Contracts;

/// <summary>What is known of a token that is well-signed and in time.</summary>
public enum RevocationState
{
    /// <summary>It was not revoked.</summary>
    Good,

    /// <summary>Its user's tokens up to a later moment were revoked.</summary>
    Revoked,

    /// <summary>Nobody can say now: the token is neither good nor bad.</summary>
    Unknown,
}

/// <summary>Which tokens an operator has revoked (product §4). A service without one verifies signature, times and claims alone. Thread-safe.</summary>
public interface ITokenRevocations
{
    /// <param name="user">The token's user.</param>
    /// <param name="issuedAt">When the token was issued, Unix milliseconds; null: it does not say, and counts as issued before any revocation.</param>
    ValueTask<RevocationState> CheckAsync(string user, long? issuedAt);
}
