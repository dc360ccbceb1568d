namespace AspireChat.AppHost;

/// <summary>What the services have in common.</summary>
internal static class ChatService
{
    /// <summary>
    /// An HTTP endpoint, the health check behind it, how tokens are verified, what is traced, and the AppHost's environment.
    /// </summary>
    /// <param name="link">What the dashboard calls the endpoint.</param>
    /// <param name="port">Where the endpoint listens in a run; 0 takes any free port.</param>
    public static IResourceBuilder<ProjectResource> AsChatService(
        this IResourceBuilder<ProjectResource> builder, IResourceBuilder<ParameterResource> jwtKey, string icon, string link = "API",
        int port = 0)
    {
        // With all that a reference can give, each password would stand in several more variables that nothing reads.
        const ReferenceEnvironmentInjectionFlags read =
            ReferenceEnvironmentInjectionFlags.ConnectionString | ReferenceEnvironmentInjectionFlags.ServiceDiscovery;
        builder.WithReferenceEnvironment(read)
            .WithHttpEndpoint(port == 0 ? null : port)
            .InPlainHttp()
            // Published, a project would believe everybody's X-Forwarded-For. The gateway has a list of proxies; nobody else reads the
            // header.
            .DisableForwardedHeaders()
            .WithHttpHealthCheck("/health")
            .WithEnvironment("Jwt__Key", jwtKey)
            .WithSettings("Jwt", "Tracing")
            .WithIconName(icon)
            .WithUrlForEndpoint("http", url => url.DisplayText = link)
            .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/health", DisplayText = "Health" });

        // Only a run says so: what is published stays in Production, where /dev/token does not exist.
        if (builder.ApplicationBuilder.ExecutionContext.IsRunMode)
        {
            builder.WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.ApplicationBuilder.Environment.EnvironmentName);
        }

        return builder;
    }

    /// <summary>Five people who chat through the gateway, once somebody starts them. Not published.</summary>
    public static void AddDemoTraffic(this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ProjectResource> gateway)
    {
        if (builder.ExecutionContext.IsPublishMode)
        {
            return;
        }

        builder.AddProject<Projects.Demo>(name)
            .WithReference(gateway).WaitFor(gateway)
            .InPlainHttp()
            .WithIconName("PeopleChat")
            .WithExplicitStart();
    }

    /// <summary>Nothing here speaks TLS. Aspire would warn in red on the dashboard where no developer certificate is trusted.</summary>
#pragma warning disable ASPIRECERTIFICATES001 // For evaluation.
    private static IResourceBuilder<ProjectResource> InPlainHttp(this IResourceBuilder<ProjectResource> builder) =>
        builder.WithoutHttpsCertificate();
#pragma warning restore ASPIRECERTIFICATES001
}
