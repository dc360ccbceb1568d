using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace AspireChat.AppHost.Servers;

/// <summary>
/// The volumes of servers in containers. A volume outlives the checkout and its secrets, so its name holds an id that is kept with the
/// secrets: new secrets never meet old data.
/// </summary>
internal static class Volumes
{
    /// <summary>The volume's name, or null where the data lives as long as the container.</summary>
    public static string? VolumeFor(this IDistributedApplicationBuilder builder, string server, string? version = null)
    {
        if (builder.ExecutionContext.IsPublishMode)
        {
            return $"aspirechat-{server}-data";
        }

        var folder = builder.ServerChoice().Folder;
        return folder.IsTemporary ? null : $"aspirechat-{folder.Id}-{server}{version}";
    }

    /// <summary>
    /// Says what to do when configuration sets a password that the volume was not made with. PostgreSQL takes its password only when it
    /// creates its data.
    /// </summary>
    public static void WithPasswordCheck(this IResourceBuilder<PostgresServerResource> postgres, string volume)
    {
        var key = $"{postgres.Resource.Name}_password_check";
        var told = false;
        postgres.ApplicationBuilder.Services.AddHealthChecks().Add(new HealthCheckRegistration(key, services => new Check(async cancellation =>
        {
            if (await postgres.Resource.GetConnectionStringAsync(cancellation) is not { } connectionString)
            {
                return HealthCheckResult.Unhealthy();
            }

            try
            {
                await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false;Timeout=5");
                await connection.OpenAsync(cancellation);
                return HealthCheckResult.Healthy();
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidPassword)
            {
                var advice = $"The data in the volume {volume} was made with another password: set Parameters:{postgres.Resource.Name}-password " +
                    "to that one, or remove the volume to start with no history.";
                if (!told)
                {
                    services.GetRequiredService<ILogger<ServerChoice>>().LogError("{Advice}", advice);
                }

                told = true;
                return HealthCheckResult.Unhealthy(advice);
            }
            catch (NpgsqlException e)
            {
                return HealthCheckResult.Unhealthy(e.Message);
            }
        }), null, null));
        postgres.WithHealthCheck(key);
    }

    private sealed class Check(Func<CancellationToken, Task<HealthCheckResult>> check) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => check(cancellationToken);
    }
}
