using System.ComponentModel.DataAnnotations;
using System.Text;

namespace AspireChat.Shop;

/// <summary>What the shop knows of its chat. Section <c>Chat</c>.</summary>
internal sealed class ChatOptions : IValidatableObject
{
    public const string Section = "Chat";

    /// <summary>HMAC with a shorter key than its hash is weaker than the hash; the gateway refuses it too.</summary>
    private const int ShortestKeyBytes = 32;

    /// <summary>Where the gateway is, for the shop's server and for its page.</summary>
    [Required]
    public Uri? Gateway { get; set; }

    /// <summary>HS256, the default: signed with <see cref="Key"/>. RS256: with a key of the shop's own, which it publishes.</summary>
    public ChatSigning Signing { get; set; } = ChatSigning.HS256;

    /// <summary>The same secret as the gateway's <c>Jwt:Key</c>. Only with HS256.</summary>
    public string? Key { get; set; }

    /// <summary><c>iss</c> of the tokens: the gateway's <c>Jwt:Issuer</c>, <c>aspirechat</c> by default.</summary>
    [Required]
    public string Issuer { get; set; } = "aspirechat";

    /// <summary><c>aud</c> of the tokens: the gateway's <c>Jwt:Audience</c>, <c>aspirechat</c> by default.</summary>
    [Required]
    public string Audience { get; set; } = "aspirechat";

    /// <summary>The secret of the webhook that tells the shop of messages.</summary>
    [Required]
    public string? WebhookSecret { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Signing == ChatSigning.HS256 && Encoding.UTF8.GetByteCount(Key ?? "") < ShortestKeyBytes)
        {
            yield return new($"{Section}:{nameof(Key)} must be the gateway's Jwt:Key, of at least {ShortestKeyBytes} bytes.", [nameof(Key)]);
        }
    }
}

internal enum ChatSigning
{
    HS256,
    RS256,
}
