using System.ComponentModel.DataAnnotations;
using AspireChat.Contracts;
using AspireChat.Contracts.Presence;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AspireChat.ConnectionService.Presence;

public static class PresenceReportingExtensions
{
    /// <summary>
    /// Adds <see cref="IPresenceReporter"/> and the loop that carries its reports to PresenceService. Needs
    /// <see cref="ChatAuthenticationExtensions.AddChatAuthentication"/> and <see cref="ServiceDefaultsExtensions.AddServiceDefaults"/>.
    /// </summary>
    public static TBuilder AddPresenceReporting<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddValidatedOptions<PresenceReportingOptions>(PresenceReportingOptions.Section);
        builder.Services.AddSingleton<PresenceReportingMetrics>();
        builder.Services.AddSingleton<PresenceReporter>();
        builder.Services.AddSingleton<IPresenceReporter>(services => services.GetRequiredService<PresenceReporter>());
        builder.Services.AddHostedService<PresenceReportLoop>();
#pragma warning disable EXTEXP0001 // For evaluation since 2024; nothing else takes the defaults' handler off one client.
        builder.AddInternalHttpClient<IPresenceClient, PresenceClient>("presence")
            // The loop repeats reports itself, with the newest state; a circuit breaker would only keep it from noticing the recovery.
            .RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
        return builder;
    }
}

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
    /// Time between two reports while much changes: 0–1 s, 300 ms by default. On a quiet replica a change goes after <see cref="Gather"/>, a few in a
    /// row; with many changes a second this is what presence costs, because a report and the sweep it causes cost the same for one change as for fifty.
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
        if (Replica is not null && !RoomIds.IsValid(Replica))
        {
            yield return new("must be 1–64 characters of A-Z a-z 0-9 _ . -", [nameof(Replica)]);
        }
    }
}

/// <summary>The call that carries a report to PresenceService.</summary>
public interface IPresenceClient
{
    /// <exception cref="HttpRequestException">
    /// PresenceService, or its Redis, is away: the report may or may not have been applied.
    /// </exception>
    Task<PresenceReportAnswer> ReportAsync(string replica, PresenceReport report, CancellationToken cancellationToken);
}

internal sealed class PresenceClient(HttpClient http) : IPresenceClient
{
    public async Task<PresenceReportAnswer> ReportAsync(string replica, PresenceReport report, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync(
            $"/internal/presence/{replica}", report, PresenceReportContext.Default.PresenceReport, cancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync(PresenceReportContext.Default.PresenceReportAnswer, cancellationToken)
            ?? throw new HttpRequestException("PresenceService answered a report with null.");
    }
}

/// <summary>The name under which a replica holds its lease.</summary>
internal static class ReplicaName
{
    private const string Attribute = "service.instance.id=";

    /// <summary>
    /// The host's name of this instance, for people, and a random part that makes it unique. Two processes under one name would remove each
    /// other's users again and again. A replica that restarts under another name only leaves a lease behind, and that runs out.
    /// </summary>
    public static string Create()
    {
        var name = (Environment.GetEnvironmentVariable("OTEL_RESOURCE_ATTRIBUTES") ?? "").Split(',')
            .Select(pair => pair.Trim())
            .FirstOrDefault(pair => pair.StartsWith(Attribute, StringComparison.Ordinal))?[Attribute.Length..]
            ?? Environment.MachineName;
        name = string.Concat(name.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')).TrimStart('-');
        return $"{(name.Length > 40 ? name[..40] : name)}-{Random.Shared.Next():x8}".TrimStart('-');
    }
}
