using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AspireChat.LocalHost.Running;

/// <summary>A redis-server process for a <see cref="RedisResource"/>. Its data always goes to the append-only file too.</summary>
internal sealed class RedisServer(RedisResource resource, DataDirectory data) : ILauncher
{
    private static readonly string[] OwnFiles =
        ["redis.conf", "redis.conf.new", "redis.pid", "dump.rdb", "appendonlydir", "appendonly.aof"];

    private string? _program;

    public void Check()
    {
        _program = Programs.Find("redis-server") ??
            throw new DistributedApplicationException(
                "redis-server was not found on the PATH: install it (Debian, Ubuntu: apt-get install redis-server).");
        if (Foreign(data.For(resource.Name)) is { } foreign)
            throw new DistributedApplicationException(
                $"{data.For(resource.Name)} holds '{foreign}', which is not Redis data of this host: " +
                "move it away or name another data directory.");
    }

    public async Task<ProcessLaunch> PrepareAsync(int replica, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var directory = data.For(resource.Name);
        Directory.CreateDirectory(directory);
        var pidFile = Path.Combine(directory, "redis.pid");
        await FormerServer.WaitForEndAsync(pidFile, "redis-server", cancellationToken).ConfigureAwait(false);

        // The password goes through a file: everyone on the machine can read a command line.
        var password = resource.PasswordParameter is { } parameter
            ? await parameter.GetValueAsync(cancellationToken).ConfigureAwait(false)
            : null;
        var port = resource.PrimaryEndpoint.Port.ToString(CultureInfo.InvariantCulture);
        var config = new StringBuilder()
            .Append("bind 127.0.0.1 -::1\n")
            .Append(CultureInfo.InvariantCulture, $"port {port}\n")
            .Append(CultureInfo.InvariantCulture, $"dir \"{directory}\"\n")
            .Append(CultureInfo.InvariantCulture, $"pidfile \"{pidFile}\"\n")
            .Append("daemonize no\nappendonly yes\nappendfsync everysec\nsave \"\"\n");
        if (password is not null) config.Append(CultureInfo.InvariantCulture, $"requirepass \"{password}\"\n");
        AppendArguments(config, arguments);
        var configFile = Path.Combine(directory, "redis.conf");
        PrivateFile.Write(configFile, config.ToString());
        return new ProcessLaunch(_program!, [configFile], directory) { DeathSignal = "TERM" };
    }

    /// <summary>Asks the server for a PONG.</summary>
    public static async Task<HealthCheckResult> CheckAsync(RedisResource resource, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", resource.PrimaryEndpoint.Port, cancellationToken).ConfigureAwait(false);
        var password = resource.PasswordParameter is { } parameter
            ? await parameter.GetValueAsync(cancellationToken).ConfigureAwait(false)
            : null;
        var stream = client.GetStream();
        var ping = (password is null ? "" : Command("AUTH", password)) + Command("PING");
        await stream.WriteAsync(Encoding.UTF8.GetBytes(ping), cancellationToken).ConfigureAwait(false);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        string? answer = null;
        for (var i = password is null ? 1 : 0; i < 2; i++) answer = await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        return answer == "+PONG" ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"Redis answered '{answer}'");
    }

    private static string Command(params ReadOnlySpan<string> words)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (var word in words) text.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        return text.ToString();
    }

    // The model's arguments are a container's command line, "redis-server --save 60 1 --appendonly yes": the same directives in a file.
    private static void AppendArguments(StringBuilder config, IReadOnlyList<string> arguments)
    {
        foreach (var argument in arguments.SkipWhile(a => a == "redis-server"))
        {
            if (argument.StartsWith("--", StringComparison.Ordinal)) config.Append('\n').Append(argument, 2, argument.Length - 2);
            else config.Append(CultureInfo.InvariantCulture, $" \"{argument}\"");
        }

        config.Append('\n');
    }

    private static string? Foreign(string directory) =>
        !Directory.Exists(directory)
            ? null
            : Directory.EnumerateFileSystemEntries(directory)
                .Select(Path.GetFileName)
                .FirstOrDefault(name => !OwnFiles.Contains(name) && !name!.StartsWith("temp-", StringComparison.Ordinal));
}
