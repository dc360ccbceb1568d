using System.ComponentModel.DataAnnotations;

namespace AspireChat.PersistenceService.Retention;

/// <summary>Configuration section <c>Retention</c>: how long events are kept.</summary>
internal sealed class RetentionOptions
{
    public const string Section = "Retention";

    /// <summary>
    /// Days that events are kept: 0–36,500; 0, the default, keeps them for ever. A room's own <c>retentionDays</c> counts instead, where it
    /// has one.
    /// </summary>
    [Range(0, 36_500)]
    public int Days { get; set; }

    /// <summary>
    /// How often is looked for events that are too old: 1 s–1 day, 1 hour by default. An event is gone at most that much later, plus the
    /// time that the deletion takes.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromHours(1);
}
