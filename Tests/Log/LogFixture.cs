using System.Diagnostics.Metrics;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.Tests.Log;

/// <summary>A real Redis with all partitions open, as PersistenceService opens them, and the log on it.</summary>
public sealed class LogFixture : IAsyncLifetime
{
    public const string Epoch = "e1";

    public RedisServer Server { get; } = new();

    public ConnectionMultiplexer Redis { get; private set; } = null!;

    public IDatabase Database => Redis.GetDatabase();

    public async Task InitializeAsync()
    {
        await Server.InitializeAsync();
        Redis = await Server.ConnectAsync();
        await OpenAsync();
    }

    public async Task OpenAsync()
    {
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            await Database.StringSetAsync(RedisKeys.Epoch(partition), Epoch);
        }
    }

    public async Task DisposeAsync()
    {
        await Redis.DisposeAsync();
        await Server.DisposeAsync();
    }

    /// <summary>The log as the service runs it. It runs until it is disposed.</summary>
    internal async Task<RunningLog> StartLogAsync(
        ConversationLogOptions? options = null, TimeProvider? time = null, RoomOptions? rooms = null)
    {
        var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var log = new RedisConversationLog(
            Redis,
            Options.Create(options ?? new ConversationLogOptions()), Options.Create(rooms ?? new RoomOptions()),
            new ConversationLogMetrics(services.GetRequiredService<IMeterFactory>()),
            time ?? TimeProvider.System,
            NullLogger<RedisConversationLog>.Instance);
        await log.StartAsync(CancellationToken.None);
        return new RunningLog(log);
    }

    /// <summary>The users' quotas as one node keeps them.</summary>
    internal UserQuotas Quotas(RunningLog log, ConversationLogOptions options) => new(Redis, log.Log, Options.Create(options));

    public static ConversationEvent Message(ConversationKey conversation, string from, string nonce, string content = "hello") => new()
    {
        Kind = conversation.IsRoom ? EventKind.Room : EventKind.Dm,
        Conversation = conversation,
        Id = Guid.CreateVersion7(),
        From = from,
        Nonce = nonce,
        Content = content,
        Timestamp = 1_767_225_600_000,
    };
}

/// <summary>Stops the log when the test ends.</summary>
internal sealed class RunningLog(RedisConversationLog log) : IAsyncDisposable
{
    public RedisConversationLog Log => log;

    public Task<AppendResult> AppendAsync(ConversationEvent e, bool requireMember = false, bool targetChecked = false)
    {
        var completion = new Completion();
        Assert.True(log.TryAppend(new AppendRequest(e, requireMember, completion, targetChecked)), "the publisher's queue is full");
        return completion.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await log.StopAsync(CancellationToken.None);
        log.Dispose();
    }

    private sealed class Completion : IAppendCompletion
    {
        private readonly TaskCompletionSource<AppendResult> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<AppendResult> Task => _source.Task;

        public void Completed(ConversationEvent appended, AppendResult result) => _source.SetResult(result);
    }
}
