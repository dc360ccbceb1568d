using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Hosting;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// How much each part logs unless configuration (files, environment, arguments) says otherwise. Our own categories log at Information, and
/// the framework's only at levels that report faults: a line for each request, probe and authorization would bury our own.
/// </summary>
internal static class LogLevels
{
    private static readonly Dictionary<string, string?> Defaults = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:System.Net.Http.HttpClient"] = "Warning",
        ["Logging:LogLevel:Microsoft.Extensions.Http"] = "Warning",
        ["Logging:LogLevel:Polly"] = "Warning",
        // Every command at Information.
        ["Logging:LogLevel:Npgsql"] = "Warning",
        // One error per probe while a dependency is down. The answer of /health names the check, and services log when a state changes.
        ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "Critical",
        // A stack trace for each attempt while a replica is down; the gateway logs the change, and metrics count the attempts.
        ["Logging:LogLevel:Yarp"] = "Error",
        ["Logging:Console:FormatterName"] = "simple",
        ["Logging:Console:FormatterOptions:SingleLine"] = "true",
        ["Logging:Console:FormatterOptions:TimestampFormat"] = "HH:mm:ss.fff ",
    };

    public static void AddDefaultLogLevels(this IHostApplicationBuilder builder) =>
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = Defaults });
}
