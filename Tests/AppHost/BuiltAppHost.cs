using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using AspireChat.Servers;

namespace AspireChat.Tests.AppHost;

/// <summary>The AppHost's own model, built but not started, with a data folder of its own. Nothing but that folder exists because of it.</summary>
internal sealed class BuiltAppHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly IDistributedApplicationTestingBuilder _builder;

    private BuiltAppHost(IDistributedApplicationTestingBuilder builder, DistributedApplication application)
    {
        _builder = builder;
        Application = application;
    }

    public DistributedApplication Application { get; }

    public IResource this[string name] => _builder.Resources.Single(resource => resource.Name == name);

    public IReadOnlyList<IResource> Resources => [.. _builder.Resources];

    public DistributedApplicationExecutionContext Context => _builder.ExecutionContext;

    /// <param name="settings">As on the command line: <c>Servers=processes</c>.</param>
    public static async Task<BuiltAppHost> BuildAsync(string dataFolder, params string[] settings)
    {
        using var patience = new CancellationTokenSource(Patience);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            [$"Data:Folder={dataFolder}", "ASPIRECHAT_PORT=0", .. settings], patience.Token);
        return new BuiltAppHost(builder, await builder.BuildAsync(patience.Token));
    }

    /// <summary>The arguments of a resource as they would be given to its process, each with what it is made of.</summary>
    public async Task<IReadOnlyList<object>> ArgumentsAsync(string name)
    {
        List<object> arguments = [];
        var context = new CommandLineArgsCallbackContext(arguments, this[name], CancellationToken.None) { ExecutionContext = Context };
        foreach (var annotation in this[name].Annotations.OfType<CommandLineArgsCallbackAnnotation>()) await annotation.Callback(context);
        return arguments;
    }

    /// <summary>What stopped a start, out of what the host and the testing builder wrapped it in.</summary>
    public static async Task<ServerException> RefusalOfAsync(Func<Task> start)
    {
        Exception? fault = await Assert.ThrowsAnyAsync<Exception>(start);
        while (fault is not (null or ServerException)) fault = fault.InnerException;
        return Assert.IsType<ServerException>(fault);
    }

    /// <summary>What a host would open when it starts, and closes when it ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await Application.DisposeAsync();
        await _builder.DisposeAsync();
    }
}
