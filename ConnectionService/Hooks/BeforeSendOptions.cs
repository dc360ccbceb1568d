using System.ComponentModel.DataAnnotations;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Hooks;

/// <summary>Configuration section <c>Hooks:BeforeSend</c>: the product's server that is asked before a message or an edit is accepted.</summary>
internal sealed class BeforeSendOptions : IValidatableObject
{
    public const string Section = "Hooks:BeforeSend";

    /// <summary>Where each event is posted. Not set, nobody is asked. It may be inside the network: it is the product's own server.</summary>
    public string? Url { get; set; }

    /// <summary>Signs each call as Standard Webhooks says. Not set, calls are not signed.</summary>
    public string? Secret { get; set; }

    /// <summary>How long a call may take, its answer included: 50 ms–30 s, 1 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:00:30")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>What counts when there is no valid answer in time: <see cref="HookFallback.Allow"/> (the default) or <see cref="HookFallback.Deny"/>.</summary>
    [EnumDataType(typeof(HookFallback))]
    public HookFallback WhenDown { get; set; }

    /// <summary>Calls under way at a time, of this node: 1–1,000, 64 by default. Further events wait, and users take turns.</summary>
    [Range(1, 1_000)]
    public int InFlight { get; set; } = 64;

    /// <summary>How long an event waits for its turn before it is answered <c>unavailable</c>: 0.1–60 s, 5 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            yield return new ValidationResult("must be an http or https address.", [nameof(Url)]);
        }

        if (Secret is not null && !WebhookSignature.IsSecret(Secret))
        {
            yield return new ValidationResult("must be whsec_ and 24 to 64 bytes in base64.", [nameof(Secret)]);
        }
    }
}

internal enum HookFallback
{
    Allow,
    Deny,
}
