using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a project that the AppHost references; building the AppHost has built it.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new() =>
            builder.AddResource(new ProjectResource(name)).WithAnnotation<IProjectMetadata>(new TProject());

    /// <summary>Adds a project by the path of its file, relative to the AppHost. It must have been built.</summary>
    public static IResourceBuilder<ProjectResource> AddProject(this IDistributedApplicationBuilder builder, string name,
        string projectPath) =>
        builder.AddResource(new ProjectResource(name))
            .WithAnnotation<IProjectMetadata>(new ProjectAtPath(Path.GetFullPath(projectPath, builder.AppHostDirectory)));

    /// <summary>Runs <paramref name="replicas"/> processes, each on a port of its own.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(replicas);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas), ResourceAnnotationMutationBehavior.Replace);
    }

    private sealed class ProjectAtPath(string path) : IProjectMetadata
    {
        public string ProjectPath { get; } = path;
    }
}

public static class ExecutableResourceBuilderExtensions
{
    /// <summary>Adds a program; a relative <paramref name="workingDirectory"/> is seen from the AppHost.</summary>
    public static IResourceBuilder<ExecutableResource> AddExecutable(
        this IDistributedApplicationBuilder builder, string name, string command, string workingDirectory, params string[]? args)
    {
        var resource = new ExecutableResource(name, command, Path.GetFullPath(workingDirectory, builder.AppHostDirectory));
        return builder.AddResource(resource).WithArgs(args ?? []);
    }
}
