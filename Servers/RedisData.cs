using System.Globalization;
using System.Text;

namespace AspireChat.Servers;

/// <summary>The data of one redis-server, and how a server is started on it. Every command goes to the append-only file.</summary>
/// <param name="path">The folder of the data. It is created when it is missing.</param>
/// <param name="searchPath">Where redis-server is looked for; null for this process's PATH.</param>
public sealed class RedisData(string path, string? searchPath = null)
{
    private static readonly string[] OwnFiles =
        ["redis.conf", "redis.conf.new", "redis.pid", "dump.rdb", "appendonlydir", "appendonly.aof"];

    /// <summary>Looks, before anything is started, for what would make the start fail.</summary>
    /// <exception cref="ServerException">redis-server is not installed, or the folder holds something else.</exception>
    public void Check()
    {
        _ = Program();
        if (Foreign() is { } foreign)
        {
            throw new ServerException($"{path} holds '{foreign}', which is not Redis data: move it away or name another data folder.");
        }
    }

    /// <summary>Writes the configuration file and gives the command that starts the server with it.</summary>
    /// <param name="port">Where it listens, on the loopback addresses only.</param>
    /// <param name="directives">More lines of redis.conf.</param>
    /// <exception cref="ServerException">A server of an earlier run still uses the data.</exception>
    public async Task<ServerCommand> PrepareAsync(
        int port, string password, IReadOnlyList<string> directives, CancellationToken cancellationToken)
    {
        PrivateFolder.Create(path);
        var pidFile = Path.Combine(path, "redis.pid");
        await FormerServer.WaitForEndAsync(pidFile, "redis-server", cancellationToken).ConfigureAwait(false);
        var config = new StringBuilder()
            .Append("bind 127.0.0.1 -::1\n")
            .Append(CultureInfo.InvariantCulture, $"port {port}\n")
            .Append(CultureInfo.InvariantCulture, $"dir \"{path}\"\n")
            .Append(CultureInfo.InvariantCulture, $"pidfile \"{pidFile}\"\n")
            .Append(CultureInfo.InvariantCulture, $"requirepass \"{password}\"\n")
            .Append("daemonize no\nappendonly yes\nappendfsync everysec\nsave \"\"\n")
            .AppendJoin('\n', directives).Append('\n');
        PrivateFile.Write(ConfigurationFile, config.ToString());
        return Command();
    }

    /// <summary>The command alone, which is known before the data exists.</summary>
    /// <remarks>
    /// By a shell that sets the umask and then becomes Redis: it would let everybody read its files (0644), and has no setting for that.
    /// </remarks>
    public ServerCommand Command() => new("sh", ["-c", "umask 077; exec \"$@\"", "sh", Program(), ConfigurationFile], path)
    {
        Name = "redis-server",
    };

    private string ConfigurationFile => Path.Combine(path, "redis.conf");

    private string Program() => Programs.Find("redis-server", searchPath) ??
        throw new ServerException("redis-server was not found on the PATH: install it (Debian, Ubuntu: apt-get install redis-server).");

    private string? Foreign() => !Directory.Exists(path)
        ? null
        : Directory.EnumerateFileSystemEntries(path)
            .Select(Path.GetFileName)
            .FirstOrDefault(name => !OwnFiles.Contains(name) && !name!.StartsWith("temp-", StringComparison.Ordinal));
}
