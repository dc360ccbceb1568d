using System.ComponentModel.DataAnnotations;

namespace AspireChat.PresenceService;

/// <summary>Configuration section <c>Presence</c>. All PresenceService replicas must be given the same.</summary>
public sealed class PresenceOptions : IValidatableObject
{
    public const string Section = "Presence";

    /// <summary>
    /// A ConnectionService replica that has not reported for this long is dead and its users are gone: 1 s–10 min, 10 s by default. At
    /// least three times the replicas' <c>PresenceReporting:Renewal</c>, and longer than <see cref="Grace"/>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A user goes offline this long after their last connection closed; a return within it goes unnoticed: 0–5 min, 5 s by default.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Least time between two <c>online</c> frames of one room, and between two <c>offline</c> frames: 0.1–60 s, 1 s by default. The first
    /// change after a pause is told at once.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan DiffInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Least time between two counts, in rooms above <see cref="NameThreshold"/>: 0.1–60 s, 2 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan CountInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>With more users online than this a room is told counts instead of names: 0–10,000, 200 by default.</summary>
    [Range(0, 10_000)]
    public int NameThreshold { get; set; } = 200;

    /// <summary>Typing ends by itself this long after it was last renewed: 0.5–60 s, 3 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:01:00")]
    public TimeSpan TypingExpiry { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Most users of one room that are shown as typing at a time; further ones are ignored until one stops: 1–1,000, 20 by default.
    /// </summary>
    [Range(1, 1_000)]
    public int TypingNames { get; set; } = 20;

    /// <summary>
    /// Least time between two rounds of <c>typing</c> frames in one room: 0–10 s, 0.5 s by default. The first change after a pause is told
    /// at once, and what changes back within the time is not told. In each interval a room hears at most <see cref="TypingNames"/> users
    /// begin.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan TypingInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// After Redis lost its state, rooms hear nothing for this long (at most a lease), while the replicas report all their users again:
    /// 0–60 s, 5 s by default. Must be longer than <c>PresenceReporting:Renewal</c>: otherwise a slow replica's users seem to come online.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan Settle { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// When no PresenceService looked at the timers for longer than this, because all of them or Redis were down, every lease and grace
    /// period starts anew, because no replica could renew: 1–60 s, 3 s by default.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan Blind { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long <c>lastSeen</c> is remembered: 1 minute–10 years, 90 days by default. About 100 bytes of Redis per user.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan SeenRetention { get; set; } = TimeSpan.FromDays(90);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Lease <= Grace)
        {
            yield return new(
                $"must be longer than {Section}:{nameof(Grace)}: its end takes users offline without a grace period.", [nameof(Lease)]);
        }
    }
}
