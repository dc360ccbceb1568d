using System.ComponentModel.DataAnnotations;
using AspireChat.Contracts;

namespace AspireChat.ConnectionService.Presence;

/// <summary>Configuration section <c>PresenceReporting</c>: how this replica tells PresenceService about its users.</summary>
public sealed class PresenceReportingOptions : IValidatableObject
{
    public const string Section = "PresenceReporting";

    /// <summary>
    /// This replica's name towards PresenceService, an identifier. Two running replicas must never share it. Unset: the node's
    /// name, which by default ends in a random part, so that even careless configuration yields unique names.
    /// </summary>
    public string? Replica { get; set; }

    /// <summary>How long changes are gathered before they are sent together: 1 ms–1 s, 50 ms by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:01")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Least time between two reports: 0–1 s, 300 ms by default. The first change after a pause goes after <see cref="Gather"/>; with many
    /// changes a second this is what presence costs, because a report and the sweep it causes cost the same for one change as for fifty.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// A report is sent this often even when nothing changed: 0.1–30 s, 3 s by default. It must fit at least three times into
    /// PresenceService's <c>Presence:Lease</c>, or a lost report or two make every user of the replica flap.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:30")]
    public TimeSpan Renewal { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>A report not answered within this time counts as failed: 0.1–30 s, 2 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:30")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Replica is not null && !Identifiers.IsValid(Replica))
        {
            yield return new("must be 1–64 characters of A-Z a-z 0-9 _ . -", [nameof(Replica)]);
        }
    }
}
