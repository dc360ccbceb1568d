namespace Aspire.Npgsql;

/// <summary>Settings of the PostgreSQL client, section <c>Aspire:Npgsql</c> and below it the connection's name.</summary>
public class NpgsqlSettings
{
    /// <summary>Overridden by <c>ConnectionStrings:NAME</c>.</summary>
    public string? ConnectionString { get; set; }

    public bool DisableHealthChecks { get; set; }

    public bool DisableTracing { get; set; }

    public bool DisableMetrics { get; set; }
}
