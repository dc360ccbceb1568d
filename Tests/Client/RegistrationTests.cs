using System.Collections.Concurrent;
using AspireChat.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Client;

/// <summary>The client in an application with dependency injection.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public async Task A_registered_client_has_its_options_from_configuration_its_token_from_a_scope_and_all_its_calls_from_the_factory()
    {
        await using var server = await FaultServer.StartAsync();
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AspireChat:Gateway"] = server.Address.ToString(), ["AspireChat:EventBuffer"] = "32", ["AspireChat:AckTimeout"] = "00:00:03",
        });
        var calls = new Calls();
        builder.Services.AddSingleton(calls);
        builder.Services.AddScoped<IChatTokenProvider, ScopedTokens>();
        builder.Services.AddAspireChatClient(builder.Configuration.GetSection("AspireChat")).AddHttpMessageHandler(() => new Counting(calls));
        using var host = builder.Build();
        await host.StartAsync();

        var client = host.Services.GetRequiredService<IChatClient>();
        await client.ConnectAsync().WaitAsync(FaultServer.Patience);

        Assert.Equal("alice", client.User);
        Assert.Same(client, host.Services.GetRequiredService<ChatClient>());
        var options = host.Services.GetRequiredService<IOptions<ChatClientOptions>>().Value;
        Assert.Equal((32, TimeSpan.FromSeconds(3)), (options.EventBuffer, options.AckTimeout));
        Assert.Contains("/api/conversations", calls.Paths);
        Assert.True(calls.Scopes > 0);
        await client.JoinAsync("lobby").WaitAsync(FaultServer.Patience);
        Assert.Empty((await client.Api.HistoryAsync(Clients.Lobby)).Items);
        Assert.Contains("/api/rooms/lobby/messages", calls.Paths);
        await host.StopAsync();
    }

    [Fact]
    public async Task Options_that_cannot_work_stop_the_start_and_are_named()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddAspireChatClient(options =>
        {
            options.Gateway = new Uri("/relative", UriKind.Relative);
            options.SendQueueLimit = 0;
        });
        using var host = builder.Build();

        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Equal(
            ["ChatClientOptions.Gateway", "ChatClientOptions.TokenProvider", "ChatClientOptions.SendQueueLimit"],
            fault.Failures.Select(failure => failure.Split(' ')[0]));
    }

    [Fact]
    public async Task What_is_logged_says_what_happens_next_and_holds_no_token()
    {
        await using var server = await FaultServer.StartAsync();
        var log = new MemoryLog();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Trace));
        services.AddAspireChatClient(options =>
        {
            options.Gateway = server.Address;
            options.TokenProvider = _ => ValueTask.FromResult("alice~secret");
            options.ReconnectDelay = TimeSpan.FromMilliseconds(2);
        });
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<IChatClient>();
        await client.ConnectAsync().WaitAsync(FaultServer.Patience);

        (await server.NextSocketAsync()).Cut();
        await server.NextSocketAsync();

        Assert.Contains(log.Lines, line => line.Id == 5001 && line.Text.StartsWith("Connected to node", StringComparison.Ordinal));
        Assert.Contains(log.Lines, line => line.Id == 5002 && line.Text.Contains("connects again in", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Text.Contains("secret", StringComparison.Ordinal));
    }

    private sealed class Calls
    {
        public ConcurrentBag<string> Paths { get; } = [];

        public int Scopes { get; set; }
    }

    private sealed class ScopedTokens : IChatTokenProvider
    {
        public ScopedTokens(Calls calls) => calls.Scopes++;

        public ValueTask<string> GetTokenAsync(CancellationToken cancellationToken) => ValueTask.FromResult("alice");
    }

    private sealed class Counting(Calls calls) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            calls.Paths.Add(request.RequestUri!.AbsolutePath);
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class MemoryLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<(int Id, string Text)> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue((eventId.Id, formatter(state, exception)));

        public void Dispose()
        {
        }
    }
}
