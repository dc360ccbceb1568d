using AspireChat.Client;

namespace AspireChat.Tests.Client.Api;

/// <summary>A <see cref="ChatServerClient"/> at a <see cref="ScriptedApi"/>, with waits of a millisecond.</summary>
internal sealed class ServerClients : IAsyncDisposable
{
    private readonly HttpClient _http = new();

    public ScriptedApi Api { get; private init; } = null!;

    public ChatServerClientOptions Options { get; private init; } = null!;

    public int TokensGiven { get; private set; }

    public ChatServerClient Client => new(_http, Options);

    public ChatApi User => new(_http, new ChatApiOptions
    {
        Gateway = Options.Gateway,
        TokenProvider = Options.TokenProvider,
        RetryDelay = Options.RetryDelay,
        MaxRetryDelay = Options.MaxRetryDelay,
    });

    public static async Task<ServerClients> StartAsync()
    {
        var api = await ScriptedApi.StartAsync();
        ServerClients clients = null!;
        clients = new ServerClients
        {
            Api = api,
            Options = new ChatServerClientOptions
            {
                Gateway = api.Address,
                TokenProvider = _ => ValueTask.FromResult($"t{++clients.TokensGiven}"),
                RetryDelay = TimeSpan.FromMilliseconds(1),
                MaxRetryDelay = TimeSpan.FromMilliseconds(2),
            },
        };
        return clients;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Api.DisposeAsync();
    }
}
