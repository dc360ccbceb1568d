using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using AspireChat.Chaos.Faults;
using AspireChat.Servers;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Acceptance;

/// <summary>
/// One more node of the running system, which has an address of its own at which clients reach it past the gateway
/// (<c>Sockets:PublicAddress</c>), and a gateway that knows this node alone. Both are the programs of the system, as processes.
/// </summary>
public sealed class AddressedNode(ChatSystem system) : IAsyncLifetime
{
    private readonly List<Process> _processes = [];
    private readonly TcpFaultProxy _publicAddress = new();
    private readonly TcpListener _silent = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<string, bool> _tickets = [];

    /// <summary>The gateway in front of this node.</summary>
    public Uri Gateway { get; } = new($"http://127.0.0.1:{Ports.Free()}");

    /// <summary>The node itself, past its public address too.</summary>
    public Uri Node { get; } = new($"http://127.0.0.1:{Ports.Free()}");

    /// <summary>Sockets that clients have open at the public address.</summary>
    public int Sockets => _publicAddress.Connections;

    /// <summary>How many tickets the public address was shown since it fell silent. A runtime may show one twice.</summary>
    public int TicketsInSilence => _tickets.Count;

    public async Task InitializeAsync()
    {
        _publicAddress.Target = Node.Port;
        var (presence, persistence) = ($"{system.AddressOf("presence")}", $"{system.AddressOf("persistence")}");
        Start("ConnectionService", Node, new()
        {
            ["ConnectionStrings__redis"] = await system.ConnectionStringAsync("redis"),
            ["services__presence__http__0"] = presence,
            ["services__persistence__http__0"] = persistence,
            ["Sockets__PublicAddress"] = $"ws://127.0.0.1:{_publicAddress.Port}",
            // So that a ticket has expired when its time is over.
            ["Jwt__ClockSkew"] = "00:00:00",
            ["Jwt__Key"] = await system.JwtKeyAsync(),
        });
        Start("Gateway", Gateway, new()
        {
            ["services__connection__http__0"] = $"{Node}",
            ["services__presence__http__0"] = presence,
            ["services__persistence__http__0"] = persistence,
            ["Jwt__Key"] = await system.JwtKeyAsync(),
        });
        using var http = new HttpClient { BaseAddress = Gateway };
        await Eventually.IsTrueAsync(
            async () =>
            {
                try
                {
                    return (await http.GetAsync("/health")).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "the gateway reaches the node");
    }

    public async Task DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        await _publicAddress.DisposeAsync();
        _silent.Dispose();
    }

    /// <summary>
    /// From now on the public address takes connections and says nothing, as a firewall may make it. Those that are open are cut.
    /// </summary>
    public void FallSilent()
    {
        _silent.Start();
        _ = ListenAsync();
        _publicAddress.Target = ((IPEndPoint)_silent.LocalEndpoint).Port;
        _publicAddress.Cut();
    }

    private async Task ListenAsync()
    {
        try
        {
            while (true)
            {
                _ = ReadAsync(await _silent.AcceptSocketAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ReadAsync(Socket socket)
    {
        using (socket)
        {
            var buffer = new byte[8192];
            try
            {
                // Until the client gives up.
                while (await socket.ReceiveAsync(buffer) is > 0 and var count)
                {
                    _tickets.TryAdd(Encoding.ASCII.GetString(buffer, 0, count).Split('\r')[0], true);
                }
            }
            catch (SocketException)
            {
                // The client has cut it.
            }
        }
    }

    private void Start(string service, Uri address, Dictionary<string, string> environment)
    {
        var folder = Path.GetFullPath(
            Path.Combine(AppContext.BaseDirectory, "../..", service, Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'))));
        var start = new ProcessStartInfo("dotnet", ["exec", $"AspireChat.{service}.dll"])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["ASPNETCORE_URLS"] = $"{address}", ["ASPNETCORE_ENVIRONMENT"] = "Development" },
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }
}
