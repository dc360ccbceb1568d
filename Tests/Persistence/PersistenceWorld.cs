using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net.Http.Headers;
using System.Text.Json;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService;
using AspireChat.PersistenceService.Consuming;
using AspireChat.PersistenceService.Migrations;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.Servers;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.Tests.Persistence;

/// <summary>
/// A Redis and a database of a test's own, the log that ConnectionService appends through, and any number of PersistenceService replicas
/// in this process. Nothing runs before <see cref="StartServiceAsync"/>.
/// </summary>
public sealed class PersistenceWorld : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _running = [];
    private ConversationLogMetrics? _metrics;

    private PersistenceWorld(RedisServer redisServer, PostgresServer postgres, string database, ConnectionMultiplexer redis)
    {
        RedisServer = redisServer;
        Postgres = postgres;
        DatabaseText = database;
        Redis = redis;
        Source = NpgsqlDataSource.Create(database);
    }

    public RedisServer RedisServer { get; }

    public PostgresServer Postgres { get; }

    public string DatabaseText { get; }

    public ConnectionMultiplexer Redis { get; }

    public IDatabase Database => Redis.GetDatabase();

    public NpgsqlDataSource Source { get; }

    /// <param name="ownPostgres">A server of the test's own, which it may crash.</param>
    public static async Task<PersistenceWorld> CreateAsync(bool ownPostgres = false)
    {
        var redis = await RedisServer.StartAsync();
        return await CreateOnAsync(redis, ownPostgres ? await PostgresServer.StartAsync() : await PostgresServer.SharedAsync());
    }

    public static async Task<PersistenceWorld> CreateOnAsync(RedisServer redis, PostgresServer postgres) =>
        new(redis, postgres, await postgres.CreateDatabaseAsync(), await redis.ConnectAsync());

    /// <summary>Only the schema, for tests of the writer and of single scripts.</summary>
    public Task MigrateAsync() =>
        new Migrator(Source, TimeProvider.System, NullLogger<Migrator>.Instance).RunAsync(Migration.All, CancellationToken.None);

    internal async Task<RunningService> StartServiceAsync(Action<Dictionary<string, string?>>? configure = null, TimeProvider? time = null)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Jwt:Key"] = TestTokens.Key,
            ["ConnectionStrings:redis"] = RedisServer.ConnectionString,
            ["ConnectionStrings:chatdb"] = DatabaseText,
            ["Persistence:Lease"] = "00:00:01",
            ["Persistence:InspectInterval"] = "00:00:00.1",
            ["Logging:LogLevel:Default"] = "Warning",
        };
        configure?.Invoke(settings);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Logging.ClearProviders();
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }

        builder.AddPersistenceService();
        var app = builder.Build();
        app.MapPersistenceService();
        // Listens before the service starts: what it counts first would be missed otherwise.
        var service = new RunningService(app);
        await service.StartAsync();
        _running.Add(service);
        return service;
    }

    /// <summary>The log as ConnectionService runs it.</summary>
    internal async Task<Tests.Log.RunningLog> StartLogAsync(ConversationLogOptions? options = null, RoomOptions? rooms = null)
    {
        var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        _metrics ??= new ConversationLogMetrics(services.GetRequiredService<IMeterFactory>());
        var log = new RedisConversationLog(
            Redis, Options.Create(options ?? new ConversationLogOptions()), Options.Create(rooms ?? new RoomOptions()), _metrics, TimeProvider.System, NullLogger<RedisConversationLog>.Instance);
        await log.StartAsync(CancellationToken.None);
        var running = new Tests.Log.RunningLog(log);
        _running.Add(running);
        return running;
    }

    /// <summary>Until disposed, nothing can be committed; reading goes on.</summary>
    public async Task<IAsyncDisposable> HoldCommitsAsync()
    {
        var connection = await Source.OpenConnectionAsync();
        await using var begin = new NpgsqlCommand("BEGIN; LOCK TABLE conversations, members IN SHARE MODE", connection);
        await begin.ExecuteNonQueryAsync();
        return new Held(connection);
    }

    public Task OpenedAsync() => Eventually.IsTrueAsync(
        async () =>
        {
            for (var partition = 0; partition < LogPartitions.Count; partition++)
            {
                if (!await Database.KeyExistsAsync(RedisKeys.Epoch(partition)))
                {
                    return false;
                }
            }
            return true;
        },
        "all partitions are open");

    public Task DurableAsync(ConversationKey conversation, long seq) => Eventually.IsTrueAsync(
        async () => (long)await Database.HashGetAsync(RedisKeys.Conversation(conversation), ConversationFields.Durable) >= seq,
        $"{conversation} is durable up to {seq}");

    public async Task<T?> QueryAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public static ConversationEvent Message(ConversationKey conversation, string from, string nonce, string content = "hello") => new()
    {
        Kind = conversation.IsRoom ? EventKind.Room : EventKind.Dm,
        Conversation = conversation,
        Id = Guid.CreateVersion7(),
        From = from,
        Nonce = nonce,
        Content = content,
        Timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
    };

    public async ValueTask DisposeAsync()
    {
        foreach (var running in Enumerable.Reverse(_running))
        {
            await running.DisposeAsync();
        }

        await Source.DisposeAsync();
        await Redis.DisposeAsync();
        await RedisServer.DisposeAsync();
        if (Postgres != await PostgresServer.SharedAsync())
        {
            await Postgres.DisposeAsync();
        }
    }
}

internal sealed class Held(NpgsqlConnection connection) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await using (var end = new NpgsqlCommand("ROLLBACK", connection))
        {
            await end.ExecuteNonQueryAsync();
        }

        await connection.DisposeAsync();
    }
}

/// <summary>One replica of the service.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http = new();
    private readonly ConcurrentDictionary<string, long> _totals = new();
    private readonly MeterListener _listener = new();
    private bool _stopped;

    public RunningService(WebApplication app)
    {
        _app = app;
        var meters = app.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == meters && instrument is Counter<long>)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
            _totals.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value));
        _listener.Start();
    }

    public async Task StartAsync()
    {
        await _app.StartAsync();
        _http.BaseAddress = new Uri(_app.Urls.First());
    }

    /// <summary>Of one counter of this replica, by its name.</summary>
    public long Total(string counter) => _totals.GetValueOrDefault(counter);

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public string Address => _app.Urls.First();

    public string Name => Get<ReplicaName>().Value;

    public async Task<HttpResponseMessage> GetAsync(string path, string? user = "alice")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (user is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", TestTokens.For(user));
        }

        return await _http.SendAsync(request);
    }

    public async Task<JsonElement> GetJsonAsync(string path, string user = "alice")
    {
        using var response = await GetAsync(path, user);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    public async Task<HttpResponseMessage> SendInternalAsync(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Get<InternalTokens>().Take());
        return await _http.SendAsync(request);
    }

    /// <summary>Calls the service as a node does.</summary>
    public HttpClient CreateInternalClient() => new()
    {
        BaseAddress = _http.BaseAddress,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Get<InternalTokens>().Take()) },
    };

    public async ValueTask DisposeAsync()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        _http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _listener.Dispose();
    }
}
