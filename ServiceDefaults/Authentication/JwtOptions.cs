using System.ComponentModel.DataAnnotations;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Configuration section <c>Jwt</c>: how tokens of users and of services are verified. All services of one system share it.
/// </summary>
public sealed class JwtOptions : IValidatableObject
{
    public const string Section = "Jwt";

    /// <summary>HMAC with a shorter key than its hash is weaker than the hash; the token library refuses it too.</summary>
    public const int ShortestKeyBytes = 32;

    /// <summary>The audience of the tickets by which a client opens a socket at a node itself; no user token may carry it.</summary>
    public const string TicketAudience = "aspirechat-socket";

    private static readonly string[] Symmetric =
    [
        SecurityAlgorithms.HmacSha256, SecurityAlgorithms.HmacSha384, SecurityAlgorithms.HmacSha512,
    ];

    private static readonly string[] Asymmetric =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    /// <summary>
    /// Secret text of at least 32 bytes in UTF-8. It signs internal tokens always, and user tokens unless <see cref="Authority"/> is set.
    /// </summary>
    [Required]
    public string? Key { get; set; }

    /// <summary><c>iss</c> that tokens must carry.</summary>
    [Required]
    public string Issuer { get; set; } = "aspirechat";

    /// <summary>
    /// <c>aud</c> that user tokens must carry. Not <c>aspirechat-internal</c> or <c>aspirechat-socket</c>: those are the system's own.
    /// </summary>
    [Required]
    public string Audience { get; set; } = "aspirechat";

    /// <summary>
    /// Accepted signature algorithms of user tokens; empty means HS256, or RS256 and ES256 with <see cref="Authority"/>. Never <c>none</c>.
    /// </summary>
    public string[] Algorithms { get; set; } = [];

    /// <summary>
    /// The claim that holds the user id: <c>sub</c> by default. Take one whose values never change and never come to belong to somebody else.
    /// </summary>
    [Required]
    public string UserClaim { get; set; } = "sub";

    /// <summary>The claim that holds the display name: <c>name</c> by default.</summary>
    [Required]
    public string NameClaim { get; set; } = "name";

    /// <summary>The claim that holds the https URL of the user's picture: <c>picture</c> by default.</summary>
    [Required]
    public string PictureClaim { get; set; } = "picture";

    /// <summary>Clock difference between issuer and verifier that is forgiven: 0–300 s, 5 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Address of an OpenID Connect provider whose published keys verify user tokens (RS256, ES256, …). Unset: <see cref="Key"/> does.
    /// Set <see cref="Issuer"/> to what that provider writes into <c>iss</c>.
    /// </summary>
    public Uri? Authority { get; set; }

    /// <summary>
    /// How often the provider's keys are read: 2 min by default, 0.1 s–1 h. A key that the provider withdraws is refused after that time at
    /// most. Only with <see cref="Authority"/>, like the two below.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan KeyRefresh { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// The least time between two readings that unknown keys cause: 5 s by default, 0.1 s–5 min. A new key is accepted after that time at
    /// most, and the provider is never asked more often.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan KeyRefreshLeast { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long the last keys stay in force while the provider cannot be reached: 1 h by default, 0.1 s–1 day. After that nobody can sign
    /// in (503) until it can be reached again.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan KeysKeptFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The algorithms in force.</summary>
    public IReadOnlyList<string> EffectiveAlgorithms => Algorithms.Length > 0 ? Algorithms
        : Authority is null ? [SecurityAlgorithms.HmacSha256]
        : [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.EcdsaSha256];

    /// <summary>The key made of <see cref="Key"/>, for whoever signs or verifies with it.</summary>
    public SymmetricSecurityKey CreateSigningKey() => new(Encoding.UTF8.GetBytes(Key!));

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Key is { Length: > 0 } key && Encoding.UTF8.GetByteCount(key) < ShortestKeyBytes)
        {
            yield return new($"is too short: at least {ShortestKeyBytes} bytes are needed.", [nameof(Key)]);
        }

        if (Audience == InternalTokens.Audience)
        {
            yield return new($"must not be {InternalTokens.Audience}: user tokens would open the internal calls.", [nameof(Audience)]);
        }

        if (Audience == TicketAudience)
        {
            yield return new($"must not be {TicketAudience}: tickets for sockets would open the API.", [nameof(Audience)]);
        }

        if (KeysKeptFor < KeyRefresh)
        {
            yield return new("must not be less than KeyRefresh: the keys would end between two readings.", [nameof(KeysKeptFor)]);
        }

        if (Authority is { } authority && (!authority.IsAbsoluteUri || authority.Scheme is not ("https" or "http")))
        {
            yield return new("must be an absolute http(s) address.", [nameof(Authority)]);
        }
        // Mixing the families would let a published RSA key be used as an HMAC secret.
        var family = Authority is null ? Symmetric : Asymmetric;
        foreach (var algorithm in Algorithms)
        {
            if (!family.Contains(algorithm))
            {
                yield return new($"{algorithm} is not one of {string.Join(", ", family)}.", [nameof(Algorithms)]);
            }
        }
    }
}
