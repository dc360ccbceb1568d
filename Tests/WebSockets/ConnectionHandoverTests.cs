using System.Net.Sockets;
using System.Text;
using AspireChat.Tests.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.WebSockets;

/// <summary>Connections that leave HTTP after their upgrade.</summary>
public sealed class ConnectionHandoverTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<WeakReference> _requests = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FrameServer _server;

    public ConnectionHandoverTests() => _server = new FrameServer { Map = Map };

    public Task InitializeAsync() => _server.InitializeAsync();

    public Task DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Bytes_behind_the_request_go_to_the_handler_and_its_end_ends_the_connection()
    {
        using var client = await UpgradeAsync("first");

        Assert.Equal("first", await ReadAsync(client, 5));
        await client.SendAsync("second"u8.ToArray());
        Assert.Equal("second", await ReadAsync(client, 6));
        _stop.SetResult();
        await client.SendAsync("."u8.ToArray());

        Assert.Equal(".", await ReadAsync(client, 1));
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Patience));
    }

    [Fact]
    public async Task The_request_is_collected_while_its_connection_lives()
    {
        using var client = await UpgradeAsync("x");
        Assert.Equal("x", await ReadAsync(client, 1));

        await Eventually.IsTrueAsync(
            () =>
            {
                GC.Collect();
                return !_requests.Single().IsAlive;
            },
            "the request's context is collected");

        await client.SendAsync("y"u8.ToArray());
        Assert.Equal("y", await ReadAsync(client, 1));
    }

    [Fact]
    public async Task A_client_that_vanishes_ends_the_connection()
    {
        var client = await UpgradeAsync("x");
        Assert.Equal("x", await ReadAsync(client, 1));

        client.Close(timeout: 0);

        await _ended.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Other_requests_are_served_as_before()
    {
        using var client = new HttpClient { BaseAddress = _server.Address };
        // Two requests, because the connection is kept between them.
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("hello", await client.GetStringAsync("/anyone"));
        }
    }

    [Fact]
    public void Memory_is_given_back_once_and_only_when_a_storm_has_calmed()
    {
        const long megabyte = 1024 * 1024;
        using var trim = new StormTrim(
            new HandoverCount(), Options.Create(new MemoryOptions()), TimeProvider.System, NullLogger<StormTrim>.Instance);

        // Columns: connections that came or went so far, bytes allocated so far, and whether a trim is due.
        foreach (var (changes, megabytes, isDue) in new (long, long, bool)[]
        {
            (0, 50, false),
            (499, 60, false),
            (499, 61, false),
            (3_000, 200, false),
            (5_000, 300, false),
            (5_010, 330, false),
            (5_020, 331, true),
            (5_020, 332, false),
            (5_519, 333, false),
            (5_520, 334, true),
            (5_520, 335, false),
        })
        {
            Assert.Equal((changes, isDue), (changes, trim.IsDue(changes, megabytes * megabyte)));
        }
    }

    private void Map(WebApplication app)
    {
        app.MapGet("/echo", AcceptAsync);
        app.MapGet("/anyone", () => "hello");
    }

    private async Task AcceptAsync(HttpContext context)
    {
        _requests.Add(new WeakReference(context));
        await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        context.Features.GetRequiredFeature<IConnectionHandover>().HandTo(EchoAsync);
    }

    private async Task EchoAsync(ConnectionContext connection)
    {
        try
        {
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync();
                // This is read before the echo, because the client may end the connection after it.
                var isLast = read.IsCompleted || _stop.Task.IsCompleted;
                foreach (var part in read.Buffer)
                {
                    await connection.Transport.Output.WriteAsync(part);
                }
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
                if (isLast)
                {
                    return;
                }
            }
        }
        finally
        {
            _ended.SetResult();
        }
    }

    /// <param name="early">Bytes that are sent together with the request, before the answer.</param>
    private async Task<Socket> UpgradeAsync(string early)
    {
        var address = _server.Address;
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(address.Host, address.Port);
        await client.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /echo HTTP/1.1\r\nHost: {address.Authority}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n{early}"));
        var head = "";
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head += await ReadAsync(client, 1);
        }

        Assert.StartsWith("HTTP/1.1 101", head, StringComparison.Ordinal);
        return client;
    }

    private static async Task<string> ReadAsync(Socket client, int length)
    {
        var bytes = new byte[length];
        for (var at = 0; at < length;)
        {
            var received = await client.ReceiveAsync(bytes.AsMemory(at)).AsTask().WaitAsync(Patience);
            Assert.NotEqual(0, received);
            at += received;
        }
        return Encoding.ASCII.GetString(bytes);
    }
}
