using AspireChat.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.AppHost.Startup;

/// <summary>What would make the start fail is looked for before anything is started, and told in one line.</summary>
internal static class StartChecks
{
    // What the orchestrator and the dashboard listen on, by the variable that says so.
    private static readonly string[] Addresses =
        ["ASPNETCORE_URLS", "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"];

    public static IDistributedApplicationBuilder AddStartChecks(this IDistributedApplicationBuilder builder)
    {
        if (builder.ExecutionContext.IsPublishMode)
        {
            return builder;
        }

        builder.Eventing.Subscribe<BeforeStartEvent>((start, _) =>
        {
            foreach (var check in start.Services.GetServices<StartCheck>())
            {
                check.Run();
            }

            return Task.CompletedTask;
        });
        if (builder.IsTest())
        {
            return builder;
        }

        builder.AddStartCheck(() => EnsureFree(builder.Configuration.GetValue("ASPIRECHAT_PORT", 8080), "ASPIRECHAT_PORT=<another port>"));
        foreach (var address in Addresses)
        {
            foreach (var url in (builder.Configuration[address] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries))
            {
                builder.AddStartCheck(() => EnsureFree(new Uri(url).Port, $"{address}=http://localhost:<another port>"));
            }
        }
        return builder;
    }

    /// <summary>Adds a check; it throws a <see cref="ServerException"/> with what is wrong and what to do about it.</summary>
    public static void AddStartCheck(this IDistributedApplicationBuilder builder, Action check) =>
        builder.Services.AddSingleton(new StartCheck(check));

    /// <summary>True for an application that the testing builder made: it takes any ports, and nobody reads its output.</summary>
    public static bool IsTest(this IDistributedApplicationBuilder builder) =>
        builder.Configuration.GetValue<bool>("DcpPublisher:RandomizePorts");

    private static void EnsureFree(int port, string remedy)
    {
        if (port != 0 && !Ports.IsFree(port))
        {
            throw new ServerException($"something listens on port {port} already: stop it, or start with {remedy}.");
        }
    }

    private sealed record StartCheck(Action Run);
}
