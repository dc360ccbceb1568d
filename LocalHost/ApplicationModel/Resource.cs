using System.Collections.ObjectModel;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.ApplicationModel
{
    /// <summary>Something that the application consists of: a server, a project, a parameter.</summary>
    public interface IResource
    {
        /// <summary>Unique name; for projects also the service discovery name.</summary>
        string Name { get; }

        /// <summary>What the builder's extension methods said about the resource.</summary>
        ResourceAnnotationCollection Annotations { get; }
    }

    public interface IResourceAnnotation;

    public sealed class ResourceAnnotationCollection : Collection<IResourceAnnotation>;

    public abstract class Resource : IResource
    {
        protected Resource(string name)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(name);
            Name = name;
        }

        public virtual string Name { get; }

        public virtual ResourceAnnotationCollection Annotations { get; } = [];
    }

    public interface IResourceWithEnvironment : IResource;

    public interface IResourceWithArgs : IResource;

    public interface IResourceWithEndpoints : IResource;

    public interface IResourceWithWaitSupport : IResource;

    public interface IResourceWithProbes : IResource;

    public interface IComputeResource : IResource;

    public interface IComputeEnvironmentResource : IResource;

    public interface IResourceWithParent : IResource
    {
        IResource Parent { get; }
    }

    public interface IResourceWithParent<out T> : IResourceWithParent
        where T : IResource
    {
        new T Parent { get; }

        IResource IResourceWithParent.Parent => Parent;
    }

    /// <summary>A resource that others reach through <c>ConnectionStrings__NAME</c>.</summary>
    public interface IResourceWithConnectionString : IResource, IExpressionValue
    {
        ReferenceExpression ConnectionStringExpression { get; }

        /// <summary>Overrides <c>ConnectionStrings__NAME</c> as the variable's name.</summary>
        string? ConnectionStringEnvironmentVariable => null;

        string IManifestExpressionProvider.ValueExpression => $"{{{Name}.connectionString}}";

        ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
            ConnectionStringExpression.GetValueAsync(cancellationToken);

        ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) => GetConnectionStringAsync(cancellationToken);
    }

    /// <summary>A container in the genuine host; here a server process on this machine.</summary>
    public class ContainerResource(string name, string? entrypoint = null)
        : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport,
            IResourceWithProbes,
          IComputeResource
    {
        public string? Entrypoint { get; set; } = entrypoint;
    }

    /// <summary>A program on this machine.</summary>
    public class ExecutableResource(string name, string command, string workingDirectory)
        : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport,
            IResourceWithProbes,
          IComputeResource
    {
        public string Command { get; } = command;

        public string WorkingDirectory { get; } = workingDirectory;
    }

    /// <summary>A .NET project, run as one process per replica.</summary>
    public class ProjectResource(string name)
        : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport,
          IResourceWithProbes, IComputeResource;
}

namespace Aspire.Hosting
{
    public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

    /// <summary>
    /// Where a project's file is. The build generates one such class, <c>Projects.NAME</c>, per project reference of the AppHost.
    /// </summary>
    public interface IProjectMetadata : IResourceAnnotation
    {
        string ProjectPath { get; }

        bool SuppressBuild => false;
    }
}
