using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using AspireChat.LocalHost.Running;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>
/// Runs an AppHost inside a test: random ports, a quiet console, a data directory of its own that is removed at the end (name one with
/// <c>--LocalHost:DataDirectory=</c> to keep it), environment Development.
/// </summary>
public static class DistributedApplicationTestingBuilder
{
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default)
        where TEntryPoint : class => CreateAsync(typeof(TEntryPoint), [], cancellationToken);

    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args,
        CancellationToken cancellationToken = default)
        where TEntryPoint : class => CreateAsync(typeof(TEntryPoint), args, cancellationToken);

    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(
        string[] args,
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder,
        CancellationToken cancellationToken = default)
        where TEntryPoint : class => CreateAsync(typeof(TEntryPoint), args, configureBuilder, cancellationToken);

    public static Task<IDistributedApplicationTestingBuilder> CreateAsync(Type entryPoint, string[] args,
        CancellationToken cancellationToken = default) =>
        CreateAsync(entryPoint, args, (_, _) => { }, cancellationToken);

    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync(
        Type entryPoint,
        string[] args,
        Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder,
        CancellationToken cancellationToken = default)
    {
        var interception = new EntryPointInterception(entryPoint.Assembly, Configure);
        var builder = await interception.StartAsync(cancellationToken).ConfigureAwait(false);
        return new TestingBuilder(builder, interception.BuildAsync, interception.Abandon);

        void Configure(DistributedApplicationOptions options, HostApplicationBuilderSettings settings)
        {
            TestDefaults(settings, args);
            configureBuilder(options, settings);
        }
    }

    /// <summary>A builder without an AppHost, to which the test adds its own resources.</summary>
    public static IDistributedApplicationTestingBuilder Create(params string[] args)
    {
        var settings = new HostApplicationBuilderSettings();
        TestDefaults(settings, args);
        var builder = new DistributedApplicationBuilder(new DistributedApplicationOptions { Args = args }, settings, intercepted: null);
        return new TestingBuilder(builder, _ => Task.FromResult(builder.Build()), () => { });
    }

    private static void TestDefaults(HostApplicationBuilderSettings settings, string[] args)
    {
        settings.Args = [.. settings.Args ?? [], .. args];
        settings.EnvironmentName ??= Environments.Development;
        settings.Configuration ??= new ConfigurationManager();

        // Below the environment and the arguments, which may say otherwise.
        settings.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["DcpPublisher:RandomizePorts"] = "true",
            ["LocalHost:TemporaryData"] = "true",
            ["LocalHost:Console"] = "false",
        });
    }

    private sealed class TestingBuilder(
        DistributedApplicationBuilder inner, Func<CancellationToken, Task<DistributedApplication>> build, Action abandon)
        : IDistributedApplicationTestingBuilder
    {
        private DistributedApplication? _application;

        public ConfigurationManager Configuration => inner.Configuration;

        public string AppHostDirectory => inner.AppHostDirectory;

        public Assembly? AppHostAssembly => inner.AppHostAssembly;

        public IHostEnvironment Environment => inner.Environment;

        public IServiceCollection Services => inner.Services;

        public DistributedApplicationExecutionContext ExecutionContext => inner.ExecutionContext;

        public IResourceCollection Resources => inner.Resources;

        public IResourceBuilder<T> AddResource<T>(T resource)
            where T : IResource => inner.AddResource(resource);

        public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
            where T : IResource => inner.CreateResourceBuilder(resource);

        public DistributedApplication Build() => BuildAsync().GetAwaiter().GetResult();

        public async Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default) =>
            _application = await build(cancellationToken).ConfigureAwait(false);

        public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

        public async ValueTask DisposeAsync()
        {
            abandon();
            if (_application is not null) await _application.DisposeAsync().ConfigureAwait(false);
        }
    }
}

public interface IDistributedApplicationTestingBuilder : IDistributedApplicationBuilder, IAsyncDisposable, IDisposable
{
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}

public static class DistributedApplicationHostingTestingExtensions
{
    /// <summary>A client whose base address is the resource's endpoint.</summary>
    public static HttpClient CreateHttpClient(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        client.BaseAddress = app.GetEndpoint(resourceName, endpointName);
        return client;
    }

    /// <summary>The address of an endpoint; of the first replica where there are several.</summary>
    public static Uri GetEndpoint(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        if (Find(app, resourceName) is not IResourceWithEndpoints resource)
            throw new ArgumentException($"Resource '{resourceName}' has no endpoints.", nameof(resourceName));
        var endpoint = endpointName is not null ? resource.GetEndpoint(endpointName) : resource.GetEndpoint("https");
        if (endpointName is null && !endpoint.IsAllocated) endpoint = resource.GetEndpoint("http");
        return endpoint.IsAllocated
            ? new Uri(endpoint.Url)
            : throw new ArgumentException(
                $"Endpoint '{endpoint.EndpointName}' of resource '{resourceName}' is not known.", nameof(endpointName));
    }

    public static ValueTask<string?> GetConnectionStringAsync(
        this DistributedApplication app, string resourceName, CancellationToken cancellationToken = default) =>
        Find(app, resourceName) is IResourceWithConnectionString resource
            ? resource.GetConnectionStringAsync(cancellationToken)
            : throw new ArgumentException($"Resource '{resourceName}' has no connection string.", nameof(resourceName));

    private static IResource Find(DistributedApplication app, string name)
    {
        if (!app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested)
            throw new InvalidOperationException("The application is not started.");
        return app.Services.GetRequiredService<DistributedApplicationModel>().Resources.TryGetByName(name, out var resource)
            ? resource
            : throw new ArgumentException($"There is no resource '{name}'.", nameof(name));
    }
}
