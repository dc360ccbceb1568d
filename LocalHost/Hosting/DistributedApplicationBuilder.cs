using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using AspireChat.LocalHost.Running;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

/// <summary>The local host's builder: the same surface as Aspire's, for the part of it that this repository uses.</summary>
public class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    private static readonly Dictionary<string, string> SwitchMappings = new(StringComparer.OrdinalIgnoreCase)
    {
        ["--operation"] = "AppHost:Operation",
        ["--publisher"] = "Publishing:Publisher",
        ["--step"] = "Pipeline:Step",
        ["--output-path"] = "Pipeline:OutputPath",
    };

    private readonly HostApplicationBuilder _inner;
    private readonly ResourceCollection _resources = [];

    public DistributedApplicationBuilder(DistributedApplicationOptions options)
        : this(options, new HostApplicationBuilderSettings { Args = options.Args }, EntryPointInterception.Current)
    {
    }

    internal DistributedApplicationBuilder(
        DistributedApplicationOptions options, HostApplicationBuilderSettings settings, EntryPointInterception? intercepted)
    {
        Intercepted = intercepted;
        Intercepted?.OnConstructing(options, settings);
        AppHostAssembly = Intercepted?.AppHost ??
            (options.AssemblyName is { } name ? Assembly.Load(new AssemblyName(name)) : Assembly.GetEntryAssembly());
        AppHostDirectory = options.ProjectDirectory ?? ProjectDirectory(AppHostAssembly) ?? Directory.GetCurrentDirectory();
        settings.ContentRootPath ??= AppHostDirectory;
        settings.ApplicationName ??= AppHostAssembly?.GetName().Name;

        _inner = new HostApplicationBuilder(settings);
        if (settings.Args is { Length: > 0 } args) _inner.Configuration.AddCommandLine(args, SwitchMappings);
        _inner.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        _inner.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // What stops the host is printed once, in one line.
        ExecutionContext = new DistributedApplicationExecutionContext(
            Operation(Configuration), Configuration["Publishing:Publisher"] ?? "manifest");

        Services.AddSingleton(TimeProvider.System);
        Services.AddSingleton(options);
        Services.AddSingleton(ExecutionContext);
        Services.AddSingleton<ResourceNotificationService>();
        Services.AddHttpClient();
        Services.AddLocalHost(Configuration, AppHostDirectory);
    }

    public ConfigurationManager Configuration => _inner.Configuration;

    public string AppHostDirectory { get; }

    public Assembly? AppHostAssembly { get; }

    public IHostEnvironment Environment => _inner.Environment;

    public IServiceCollection Services => _inner.Services;

    public DistributedApplicationExecutionContext ExecutionContext { get; }

    public IResourceCollection Resources => _resources;

    internal EntryPointInterception? Intercepted { get; }

    public IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource
    {
        if (_resources.TryGetByName(resource.Name, out var same))
            throw new DistributedApplicationException(
                $"Cannot add resource '{resource.Name}' of type {resource.GetType()}: a resource of type {same.GetType()} has that name.");
        _resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource => new ResourceBuilder<T>(this, resource);

    public DistributedApplication Build()
    {
        Intercepted?.OnBuilding(this);
        Services.AddSingleton(new DistributedApplicationModel(_resources));
        var application = new DistributedApplication(_inner.Build(), Intercepted);
        Intercepted?.OnBuilt(application);
        return application;
    }

    private static DistributedApplicationOperation Operation(IConfiguration configuration)
    {
        var asked = configuration["AppHost:Operation"];
        if (asked is null)
            return configuration["Publishing:Publisher"] is null
                ? DistributedApplicationOperation.Run
                : DistributedApplicationOperation.Publish;
        return Enum.TryParse<DistributedApplicationOperation>(asked, ignoreCase: true, out var operation)
            ? operation
            : throw new DistributedApplicationException($"--operation is '{asked}', but can only be run or publish.");
    }

    private static string? ProjectDirectory(Assembly? assembly) =>
        assembly?.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(a => a.Key == "AppHostProjectPath")?.Value is { } path &&
        Directory.Exists(path)
            ? path
            : null;

    private sealed class ResourceCollection : Collection<IResource>, IResourceCollection
    {
        public bool TryGetByName(string name, [NotNullWhen(true)] out IResource? resource)
        {
            resource = this.FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase));
            return resource is not null;
        }
    }

    private sealed class ResourceBuilder<T>(IDistributedApplicationBuilder application, T resource) : IResourceBuilder<T>
        where T : IResource
    {
        public IDistributedApplicationBuilder ApplicationBuilder { get; } = application;

        public T Resource { get; } = resource;

        public IResourceBuilder<T> WithAnnotation<TAnnotation>(
            TAnnotation annotation, ResourceAnnotationMutationBehavior behavior = ResourceAnnotationMutationBehavior.Append)
            where TAnnotation : IResourceAnnotation
        {
            if (behavior == ResourceAnnotationMutationBehavior.Replace)
                foreach (var old in Resource.Annotations.OfType<TAnnotation>().ToList()) Resource.Annotations.Remove(old);
            Resource.Annotations.Add(annotation);
            return this;
        }
    }
}
