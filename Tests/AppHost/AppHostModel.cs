using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using AspireChat.Servers;

namespace AspireChat.Tests.AppHost;

/// <summary>
/// The AppHost's own model with a data folder of its own. It is not built, because building checks whether the start can succeed and waits
/// for the orchestrator.
/// </summary>
internal sealed class AppHostModel : IAsyncDisposable
{
    private readonly IDistributedApplicationTestingBuilder _builder;

    private AppHostModel(IDistributedApplicationTestingBuilder builder) => _builder = builder;

    public IResource this[string name] => _builder.Resources.Single(resource => resource.Name == name);

    public IReadOnlyList<IResource> Resources => [.. _builder.Resources];

    public bool IsPublished => _builder.ExecutionContext.IsPublishMode;

    /// <param name="settings">Settings as on the command line: <c>Servers=processes</c>.</param>
    public static async Task<AppHostModel> CreateAsync(string dataFolder, params string[] settings)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return new AppHostModel(await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            [$"Data:Folder={dataFolder}", "ASPIRECHAT_PORT=0", .. settings], patience.Token));
    }

    /// <summary>Starts the model, which must fail. Returns the reason, without the exceptions that wrap it.</summary>
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

    /// <summary>The arguments of a resource's process, each with the values that it is made of.</summary>
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

    /// <summary>The environment of a resource's process, as far as it is known before the start.</summary>
    public async Task<IReadOnlyDictionary<string, object>> EnvironmentAsync(string name)
    {
        var context = new EnvironmentCallbackContext(_builder.ExecutionContext, this[name], [], CancellationToken.None);
        foreach (var annotation in this[name].Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            try
            {
                await annotation.Callback(context);
            }
            catch (InvalidOperationException)
            {
                // An address that is known only once the resource runs.
            }
        }

        return context.EnvironmentVariables;
    }

    /// <summary>Runs the steps that come right before a resource's process is started.</summary>
    public Task PrepareAsync(string name, IServiceProvider services) =>
        _builder.Eventing.PublishAsync(new BeforeResourceStartedEvent(this[name], services));

    public ValueTask DisposeAsync() => _builder.DisposeAsync();
}
