using Microsoft.Extensions.Hosting;

namespace Aspire.StackExchange.Redis;

/// <summary>Settings of the Redis client, section <c>Aspire:StackExchange:Redis</c> and below it the connection's name.</summary>
public sealed class StackExchangeRedisSettings
{
    /// <summary>Overridden by <c>ConnectionStrings:NAME</c>.</summary>
    public string? ConnectionString { get; set; }

    public bool DisableHealthChecks { get; set; }

    /// <summary>Without effect here: the instrumentation that traces each command is a package that this build does without.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>Connects when the connection is first asked for (true, the default) or already when the service starts (false).</summary>
    public bool DisableAutoActivation { get; set; } = true;
}

/// <summary>What was registered, for further configuration.</summary>
public sealed class AspireRedisClientBuilder(IHostApplicationBuilder hostBuilder, StackExchangeRedisSettings settings, string? serviceKey)
{
    public IHostApplicationBuilder HostBuilder { get; } = hostBuilder;

    public StackExchangeRedisSettings Settings { get; } = settings;

    public string? ServiceKey { get; } = serviceKey;
}
