/// <summary>What several resources of this application have in common.</summary>
internal static class ChatResources
{
    /// <summary>An HTTP endpoint, the health check behind it, the key of the tokens, and the AppHost's environment.</summary>
    public static IResourceBuilder<ProjectResource> AsChatService(
        this IResourceBuilder<ProjectResource> builder, IResourceBuilder<ParameterResource> jwtKey, int? port = null)
    {
        // With all that a reference can give, each password would stand in several more variables that nothing reads.
        const ReferenceEnvironmentInjectionFlags read =
            ReferenceEnvironmentInjectionFlags.ConnectionString | ReferenceEnvironmentInjectionFlags.ServiceDiscovery;
        builder.WithReferenceEnvironment(read).WithHttpEndpoint(port).WithHttpHealthCheck("/health").WithEnvironment("Jwt__Key", jwtKey);

        // Only a run says so: what is published stays in Production, where /dev/token does not exist.
        if (builder.ApplicationBuilder.ExecutionContext.IsRunMode)
            builder.WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.ApplicationBuilder.Environment.EnvironmentName);
        return builder;
    }

    /// <summary>
    /// Makes Redis write every command to its append-only file. The snapshots of <c>WithPersistence</c> alone lose what was acknowledged
    /// since the last one. <c>Redis:AppendFsync</c> says when that file is forced to disk: <c>everysec</c> (unless set) or <c>always</c>.
    /// </summary>
    public static IResourceBuilder<RedisResource> WithAppendOnlyFile(this IResourceBuilder<RedisResource> builder) =>
        builder.WithArgs(context =>
        {
            var fsync = builder.ApplicationBuilder.Configuration["Redis:AppendFsync"] ?? "everysec";
            if (fsync is not ("everysec" or "always"))
                throw new DistributedApplicationException($"Redis:AppendFsync is '{fsync}', but can only be everysec or always.");
            string[] directives = ["--appendonly", "yes", "--appendfsync", fsync];
            // Published, the whole command is one argument of `sh -c`; arguments after it would be the shell's, not Redis's. A shell that
            // is a container's first process ignores the signal to stop and passes it to nobody, so Redis takes its place.
            if (context.ExecutionContext.IsPublishMode) context.Args[^1] = $"exec {context.Args[^1]} {string.Join(' ', directives)}";
            else
            {
                foreach (var directive in directives) context.Args.Add(directive);
            }
        });
}
