using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using AspireChat.Servers;

namespace AspireChat.Tests.AppHost;

/// <summary>
/// The AppHost's own model with a data folder of its own. It is not built: a built one looks for what would make its start fail, and waits
/// for the orchestrator.
/// </summary>
internal sealed class AppHostModel : IAsyncDisposable
{
    private readonly IDistributedApplicationTestingBuilder _builder;

    private AppHostModel(IDistributedApplicationTestingBuilder builder) => _builder = builder;

    public IResource this[string name] => _builder.Resources.Single(resource => resource.Name == name);

    public IReadOnlyList<IResource> Resources => [.. _builder.Resources];

    public bool IsPublished => _builder.ExecutionContext.IsPublishMode;

    /// <param name="settings">As on the command line: <c>Servers=processes</c>.</param>
    public static async Task<AppHostModel> CreateAsync(string dataFolder, params string[] settings)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return new AppHostModel(await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            [$"Data:Folder={dataFolder}", "ASPIRECHAT_PORT=0", .. settings], patience.Token));
    }

    /// <summary>The same, started, which must fail; and why it did, out of what the host and the testing builder wrapped it in.</summary>
    public static async Task<ServerException> RefusalOfAsync(string dataFolder, params string[] settings)
    {
        Exception? fault = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var model = await CreateAsync(dataFolder, settings);
            await using var application = await model._builder.BuildAsync();
            await application.StartAsync();
        });
        while (fault is not (null or ServerException))
        {
            fault = fault.InnerException;
        }

        return Assert.IsType<ServerException>(fault);
    }

    /// <summary>The arguments of a resource as they would be given to its process, each with what it is made of.</summary>
    public async Task<IReadOnlyList<object>> ArgumentsAsync(string name)
    {
        List<object> arguments = [];
        var context = new CommandLineArgsCallbackContext(arguments, this[name], CancellationToken.None)
        {
            ExecutionContext = _builder.ExecutionContext,
        };
        foreach (var annotation in this[name].Annotations.OfType<CommandLineArgsCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        return arguments;
    }

    /// <summary>What happens right before the process of a resource is started.</summary>
    public Task PrepareAsync(string name, IServiceProvider services) =>
        _builder.Eventing.PublishAsync(new BeforeResourceStartedEvent(this[name], services));

    public ValueTask DisposeAsync() => _builder.DisposeAsync();
}
