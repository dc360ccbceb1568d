using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.Tests.LocalHost;

/// <summary>A small application on the local host, for one test.</summary>
internal sealed class HostRun : IAsyncDisposable
{
    private readonly IDistributedApplicationTestingBuilder _builder;
    private readonly CancellationTokenSource _patience;

    private HostRun(IDistributedApplicationTestingBuilder builder, DistributedApplication app, CancellationTokenSource patience)
    {
        _builder = builder;
        App = app;
        _patience = patience;
    }

    public DistributedApplication App { get; }

    public CancellationToken Patience => _patience.Token;

    public ResourceNotificationService States => App.ResourceNotifications;

    public static async Task<HostRun> StartAsync(Action<IDistributedApplicationBuilder> model, params string[] args)
    {
        var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        var builder = DistributedApplicationTestingBuilder.Create(args);
        model(builder);
        var app = await builder.BuildAsync(patience.Token);
        var run = new HostRun(builder, app, patience);
        try
        {
            await app.StartAsync(patience.Token);
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    public int Pid(string id)
    {
        Assert.True(States.TryGetCurrentState(id, out var known), id);
        return (int)known.Snapshot.Properties.Single(p => p.Name == "executable.pid").Value!;
    }

    public async Task<IReadOnlyList<string>> OutputAsync(string id)
    {
        var logs = App.Services.GetRequiredService<ResourceLoggerService>();
        await foreach (var lines in logs.GetAllAsync(id)) return [.. lines.Select(l => l.Content)];
        return [];
    }

    public Task<ResourceEvent> EndOfAsync(string id) =>
        States.WaitForResourceAsync(id, e => KnownResourceStates.TerminalStates.Contains(e.Snapshot.State?.Text), Patience);

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await _builder.DisposeAsync();
        _patience.Dispose();
    }
}
