using System.Text;
using AspireChat.ConnectionService;
using AspireChat.ConnectionService.Presence;
using AspireChat.Tests.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.Tests.Connections;

/// <summary>
/// ConnectionService as it is, in this process, on a free port, with a Redis of the tests' own and presence switched off.
/// </summary>
internal sealed class ConnectionNode : IAsyncDisposable
{
    public const string Key = "a key for tests of at least 32 bytes";

    private readonly WebApplication _app;

    private ConnectionNode(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.First());

    public IServiceProvider Services => _app.Services;

    /// <param name="settings">Configuration as <c>Sockets:OutboundBytes=65536</c>.</param>
    public static async Task<ConnectionNode> StartAsync(string redis, params string[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Tests" });
        builder.Configuration.AddInMemoryCollection(
        [
            new("ConnectionStrings:redis", redis),
            new("Jwt:Key", Key),
            .. settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])),
        ]);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddConnectionService();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IPresenceReporter, PresenceSpy>();
        builder.Services.Remove(builder.Services.Single(service => service.ImplementationType == typeof(PresenceReportLoop)));
        var app = builder.Build();
        app.MapConnectionService();
        await app.StartAsync();
        return new ConnectionNode(app);
    }

    /// <param name="more">Further claims.</param>
    public static string Token(string user, TimeSpan? lifetime = null, string? scope = null, params (string Name, object Value)[] more)
    {
        var issued = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1_000.0;
        var scopes = scope is null ? Array.Empty<(string, object)>() : [("scope", scope)];
        return Sign(user, lifetime, [("iat", issued), .. scopes, .. more]);
    }

    /// <summary>A token that does not say when it was issued.</summary>
    public static string TokenWithoutTime(string user) => Sign(user, null, []);

    private static string Sign(string user, TimeSpan? lifetime, IEnumerable<(string Name, object Value)> more)
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var claims = new Dictionary<string, object> { ["sub"] = user };
        foreach (var (name, value) in more)
        {
            claims[name] = value;
        }

        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = "aspirechat",
            Audience = "aspirechat",
            NotBefore = now.AddMinutes(-1),
            Expires = now + (lifetime ?? TimeSpan.FromHours(1)),
            Claims = claims,
            SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(Key)),
                SecurityAlgorithms.HmacSha256),
        });
    }

    public Task<TestSocket> ConnectAsync(string user, TimeSpan? lifetime = null) => TestSocket.ConnectAsync(Address, Token(user, lifetime));

    /// <summary>Connects with a token that says how the user is shown.</summary>
    public Task<TestSocket> ConnectAsync(string user, string name) => TestSocket.ConnectAsync(Address, Token(user, more: ("name", name)));

    /// <summary>Connects by bytes and reads <c>welcome</c>.</summary>
    public static async Task<RawClient> ConnectRawAsync(Uri address, string user)
    {
        var client = await RawClient.ConnectAsync(address, $"Authorization: Bearer {Token(user)}\r\n");
        Assert.Contains("\"type\":\"welcome\"", (await client.ReadAsync())!.Text);
        return client;
    }

    public HttpClient HttpClient(string user, string? scope = null)
    {
        var client = new HttpClient { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Token(user, scope: scope));
        return client;
    }

    /// <summary>Typing notices that PresenceService would have been told.</summary>
    public int TypingNotices => ((PresenceSpy)Services.GetRequiredService<IPresenceReporter>()).Typings;

    /// <summary>As on SIGTERM.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await _app.DisposeAsync();
    }

    private sealed class PresenceSpy : IPresenceReporter
    {
        private int _typing;

        public int Typings => Volatile.Read(ref _typing);

        public void ConnectionOpened(string user)
        {
        }

        public void ConnectionClosed(string user)
        {
        }

        public void MembershipChanged(string room, string user, bool member)
        {
        }

        public void Missed(string room)
        {
        }

        public void ProfileChanged(string user)
        {
        }

        public void Typing(string user, string? room, string? to, bool active) => Interlocked.Increment(ref _typing);
    }
}
