using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Server;

namespace AspireChat.OidcProvider;

/// <summary>The keys that the provider publishes; the first of them signs. Thread-safe for one administrator.</summary>
internal sealed class SigningKeys(IOptionsMonitor<OpenIddictServerOptions> options)
{
    public static SigningCredentials Create(string id, string algorithm) => algorithm switch
    {
        SecurityAlgorithms.RsaSha256 => new(new RsaSecurityKey(RSA.Create(2048)) { KeyId = id }, algorithm),
        SecurityAlgorithms.EcdsaSha256 => new(new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = id }, algorithm),
        _ => throw new ArgumentException($"{algorithm} is not RS256 or ES256.", nameof(algorithm)),
    };

    /// <summary>Publishes a new key, which signs from now on; those before it stay published.</summary>
    public void Add(string id, string algorithm) => options.CurrentValue.SigningCredentials.Insert(0, Create(id, algorithm));

    public void Withdraw(string id) => options.CurrentValue.SigningCredentials.RemoveAll(key => key.Key.KeyId == id);
}
