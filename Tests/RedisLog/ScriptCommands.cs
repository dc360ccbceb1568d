using System.Net;
using System.Net.Sockets;
using System.Text;
using AspireChat.Tests.Servers;
using StackExchange.Redis;

namespace AspireChat.Tests.RedisLog;

/// <summary>
/// Counts the commands that scripts call, as MONITOR tells them. Unlike a time, a count is the same on a busy machine; each costs Redis about
/// a microsecond.
/// </summary>
internal sealed class ScriptCommands : IAsyncDisposable
{
    private readonly TcpClient _client = new();
    private readonly ConnectionMultiplexer _redis;
    private StreamReader _lines = null!;

    private ScriptCommands(ConnectionMultiplexer redis) => _redis = redis;

    public static async Task<ScriptCommands> WatchAsync(RedisServer server)
    {
        var commands = new ScriptCommands(await server.ConnectAsync());
        var options = ConfigurationOptions.Parse(server.ConnectionString);
        var (host, port) = options.EndPoints[0] is DnsEndPoint name
            ? (name.Host, name.Port)
            : (((IPEndPoint)options.EndPoints[0]).Address.ToString(), ((IPEndPoint)options.EndPoints[0]).Port);
        await commands._client.ConnectAsync(host, port);
        await commands._client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"AUTH {options.Password}\r\nMONITOR\r\n"));
        commands._lines = new StreamReader(commands._client.GetStream(), Encoding.Latin1);
        Assert.Equal("+OK", await commands._lines.ReadLineAsync());
        Assert.Equal("+OK", await commands._lines.ReadLineAsync());
        return commands;
    }

    /// <summary>The most commands that one script called while <paramref name="work"/> went on.</summary>
    public async Task<int> MostAsync(Func<Task> work)
    {
        var marker = Guid.NewGuid().ToString();
        var counting = CountAsync(marker);
        await work();
        await _redis.GetDatabase().ExecuteAsync("ECHO", marker);
        return await counting.WaitAsync(TimeSpan.FromSeconds(120));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _redis.DisposeAsync();
    }

    private async Task<int> CountAsync(string marker)
    {
        var (most, count) = (0, 0);
        while (await _lines.ReadLineAsync() is { } line && !line.Contains(marker, StringComparison.Ordinal))
        {
            count = line.AsSpan(0, Math.Min(40, line.Length)).Contains(" lua]", StringComparison.Ordinal) ? count + 1 : 0;
            most = Math.Max(most, count);
        }
        return most;
    }
}
