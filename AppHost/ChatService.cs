namespace AspireChat.AppHost;

/// <summary>What the services have in common.</summary>
internal static class ChatService
{
    /// <summary>An HTTP endpoint, the health check behind it, the key of the tokens, and the AppHost's environment.</summary>
    /// <param name="port">Where the endpoint listens in a run; 0 takes any free port.</param>
    public static IResourceBuilder<ProjectResource> AsChatService(
        this IResourceBuilder<ProjectResource> builder, IResourceBuilder<ParameterResource> jwtKey, string icon, int port = 0)
    {
        // With all that a reference can give, each password would stand in several more variables that nothing reads.
        const ReferenceEnvironmentInjectionFlags read =
            ReferenceEnvironmentInjectionFlags.ConnectionString | ReferenceEnvironmentInjectionFlags.ServiceDiscovery;
        builder.WithReferenceEnvironment(read)
            .WithHttpEndpoint(port == 0 ? null : port)
            .WithHttpHealthCheck("/health")
            .WithEnvironment("Jwt__Key", jwtKey)
            .WithIconName(icon)
            .WithUrlForEndpoint("http", url => url.DisplayText = "API")
            .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/health", DisplayText = "Health" });

        // Only a run says so: what is published stays in Production, where /dev/token does not exist.
        if (builder.ApplicationBuilder.ExecutionContext.IsRunMode)
            builder.WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.ApplicationBuilder.Environment.EnvironmentName);
        return builder;
    }

    /// <summary>The gateway is what people open: its address is the chat, and the description of its API stands beside it.</summary>
    public static IResourceBuilder<ProjectResource> WithChatUrls(this IResourceBuilder<ProjectResource> gateway) => gateway
        .WithUrlForEndpoint("http", url =>
        {
            if (url.DisplayText == "API") url.DisplayText = "Chat";
        })
        .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/openapi/v1.json", DisplayText = "API" });

    /// <summary>Five people who chat through the gateway, once somebody starts them. Not published.</summary>
    public static void AddDemoTraffic(this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ProjectResource> gateway)
    {
        if (builder.ExecutionContext.IsPublishMode) return;
        builder.AddProject<Projects.Demo>(name)
            .WithReference(gateway).WaitFor(gateway)
            .WithIconName("PeopleChat")
            .WithExplicitStart();
    }
}
