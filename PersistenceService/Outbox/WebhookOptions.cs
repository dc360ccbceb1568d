using System.ComponentModel.DataAnnotations;
using System.Globalization;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Outbox;

/// <summary>
/// Configuration section <c>Webhooks</c>: the product's servers that are told what was committed. <c>Webhooks:0:Url</c>, <c>:Secret</c> and
/// <c>:Events</c> are the first one.
/// </summary>
internal sealed class WebhookOptions : IValidatableObject
{
    public const string Section = "Webhooks";

    /// <summary>By their numbers, under which the database keeps what they are still to be told.</summary>
    public IReadOnlyDictionary<int, WebhookTarget> Targets { get; set; } = new Dictionary<int, WebhookTarget>();

    /// <summary>Private, loopback and link-local addresses are called as well. Default false.</summary>
    public bool AllowPrivate { get; set; }

    /// <summary>How long a call may take: 0.1–60 s, 10 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Calls of one webhook under way at a time, of each replica: 1–1,000, 64 by default. A quarter as many may be repeats.</summary>
    [Range(1, 1_000)]
    public int InFlight { get; set; } = 64;

    /// <summary>How long what could not be told is tried, before it becomes a dead letter: 1 s–7 days, 24 h by default.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromHours(24);

    /// <summary>The first pause before a repeat: 10 ms–1 h, 1 s by default. Each further one is twice as long, with jitter.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan FirstPause { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause between two attempts: 10 ms–6 h, 10 min by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "06:00:00")]
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long dead letters are kept: 1 h–365 days, 30 days by default.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "365.00:00:00")]
    public TimeSpan KeepDeadLetters { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Events that wait for all webhooks: 1,000–1,000,000,000, 5,000,000 by default, about 200 bytes each in PostgreSQL. Above it the oldest are
    /// dropped, which a metric and an error in the log tell.
    /// </summary>
    [Range(1_000, 1_000_000_000)]
    public long MostWaiting { get; set; } = 5_000_000;

    /// <summary>
    /// How long the addressee of a direct message or mention must have had no connection before <c>message.unseen</c>: 1 s–24 h, 30 s by default.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan UnseenAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Somebody wants to be told of this kind.</summary>
    public bool Wants(WebhookKind kind) => Targets.Values.Any(target => target.Wants(kind));

    /// <summary>True when a webhook is configured: without one nothing of all this is registered.</summary>
    public static bool IsConfigured(IConfiguration configuration) => Numbered(configuration).Any();

    public void ReadTargets(IConfiguration configuration) => Targets = Numbered(configuration)
        .ToDictionary(section => int.Parse(section.Key, CultureInfo.InvariantCulture), WebhookTarget.Read);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (number, target) in Targets)
        {
            if (!Uri.TryCreate(target.Url, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
            {
                yield return new ValidationResult("must be an http or https address.", [$"{number}:Url"]);
            }

            if (!WebhookSignature.IsSecret(target.Secret))
            {
                yield return new ValidationResult("must be whsec_ and 24 to 64 bytes in base64.", [$"{number}:Secret"]);
            }

            foreach (var unknown in target.Unknown)
            {
                yield return new ValidationResult($"has '{unknown}', which is none of {string.Join(", ", WebhookKinds.All)}.", [$"{number}:Events"]);
            }
        }

        if (FirstPause > LongestPause)
        {
            yield return new ValidationResult("must not be longer than LongestPause.", [nameof(FirstPause)]);
        }
    }

    private static IEnumerable<IConfigurationSection> Numbered(IConfiguration configuration) => configuration.GetSection(Section).GetChildren()
        .Where(section => ushort.TryParse(section.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= short.MaxValue);
}

/// <param name="Kinds">What it is told.</param>
/// <param name="Unknown">Names in its list of events that are none.</param>
internal sealed record WebhookTarget(string Url, string Secret, IReadOnlySet<WebhookKind> Kinds, IReadOnlyList<string> Unknown)
{
    public bool Wants(WebhookKind kind) => Kinds.Contains(kind);

    /// <summary><c>Events</c> is a list, or names with commas between them; without it, all kinds are meant.</summary>
    public static WebhookTarget Read(IConfigurationSection section)
    {
        var events = section.GetSection("Events");
        var names = (events.Value?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [])
            .Concat(events.GetChildren().Select(child => child.Value ?? "")).ToList();
        if (names.Count == 0)
        {
            names.AddRange(WebhookKinds.All);
        }

        return new WebhookTarget(
            section["Url"] ?? "",
            section["Secret"] ?? "",
            names.Select(WebhookKinds.Find).OfType<WebhookKind>().ToHashSet(),
            [.. names.Where(name => WebhookKinds.Find(name) is null)]);
    }
}
