namespace AspireChat.ServiceDefaults;

/// <summary>Where the OpenID Connect provider at <c>Jwt:Authority</c> signs users in (RFC 6749), as it publishes it.</summary>
public sealed record ProviderEndpoints(Uri Authorization, Uri Token)
{
    /// <summary>The origin of <see cref="Token"/>.</summary>
    public string TokenOrigin { get; } = Token.GetLeftPart(UriPartial.Authority);

    internal static ProviderEndpoints? From(string? authorization, string? token) =>
        Uri.TryCreate(authorization, UriKind.Absolute, out var first) && Uri.TryCreate(token, UriKind.Absolute, out var second) ? new(first, second) : null;
}

/// <summary>The provider's addresses. Thread-safe.</summary>
public interface IProviderEndpoints
{
    /// <summary>As they were read last; null: not yet, or the provider signs nobody in.</summary>
    ProviderEndpoints? Known { get; }

    /// <summary>Reads them if they are not known. Null: the provider cannot be reached, or signs nobody in.</summary>
    ValueTask<ProviderEndpoints?> GetAsync();
}
