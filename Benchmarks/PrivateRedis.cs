using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace AspireChat.Benchmarks;

/// <summary>A redis-server for one run: AOF as in production, temporary directory, free port; ends with the benchmark.</summary>
internal sealed class PrivateRedis : IAsyncDisposable
{
    private readonly string _directory;

    private PrivateRedis(string directory, Process process, ConnectionMultiplexer connection)
    {
        _directory = directory;
        Process = process;
        Connection = connection;
    }

    public Process Process { get; }

    public ConnectionMultiplexer Connection { get; }

    /// <summary>As a service gets it.</summary>
    public string ConnectionString => Connection.GetEndPoints()[0].ToString()!;

    public static async Task<PrivateRedis> StartAsync(string appendFsync)
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        var directory = Directory.CreateTempSubdirectory("aspirechat-bench-").FullName;
        var process = Process.Start(new ProcessStartInfo("redis-server",
        [
            "--bind", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--dir", directory, "--save", "",
            "--appendonly", "yes", "--appendfsync", appendFsync,
        ]) { RedirectStandardOutput = true })!;
        // Read to the end, or a full pipe would stop the server.
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        var connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},abortConnect=false,allowAdmin=true,connectRetry=20");
        while (!connection.IsConnected)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        return new PrivateRedis(directory, process, connection);
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        // With the child that may be rewriting the append-only file.
        Process.Kill(entireProcessTree: true);
        await Process.WaitForExitAsync();
        Process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
