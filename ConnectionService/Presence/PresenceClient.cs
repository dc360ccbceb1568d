using AspireChat.Contracts.Presence;

namespace AspireChat.ConnectionService.Presence;

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
