using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace AspireChat.Servers;

/// <summary>The data of one PostgreSQL server with one database, and how a server is started on it.</summary>
/// <param name="path">
/// The folder of the data. It is created when it is missing. PostgreSQL refuses to run as root: then the server runs as the user
/// <c>postgres</c>, who must be able to pass through every directory above the folder (see <see cref="IsReachable"/>).
/// </param>
/// <param name="database">Created with the data.</param>
/// <param name="roles">Made in the database beside the superuser; null: none are.</param>
/// <param name="durable">False for data that nobody misses after a power failure: creating it takes less time then.</param>
public sealed class PostgresData(string path, string database, PostgresRoles? roles = null, bool durable = true)
{
    /// <summary>The superuser, whose password clients give.</summary>
    public const string UserName = "postgres";

    // Debian's package brings this user of the machine.
    private const string ServerUser = "postgres";

    private string? _programs;

    private static string? User => Environment.IsPrivilegedProcess ? ServerUser : null;

    private string Parent => Path.GetDirectoryName(path)!;

    private string PasswordStamp => path + ".password.sha256";

    private string RolesStamp => path + ".roles.sha256";

    /// <summary>False when the server's user could not reach the folder; /root, for one, lets nobody through.</summary>
    public static bool IsReachable(string path)
    {
        if (User is null || OperatingSystem.IsWindows())
        {
            return true;
        }

        for (var above = Path.GetDirectoryName(path); above is not null; above = Path.GetDirectoryName(above))
        {
            if (Directory.Exists(above) && !File.GetUnixFileMode(above).HasFlag(UnixFileMode.OtherExecute))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Looks, before anything is started, for what would make the start fail.</summary>
    /// <exception cref="ServerException">
    /// PostgreSQL or its user is missing, the folder holds something else, or it was made by a version that is not installed.
    /// </exception>
    public void Check() => _ = ProgramFolder();

    /// <summary>Makes the data if it is missing, sets the password, and gives the command that starts the server.</summary>
    /// <param name="port">Where it listens, on the loopback addresses only.</param>
    /// <param name="settings">More settings, such as <c>fsync=off</c>.</param>
    /// <exception cref="ServerException">As <see cref="Check"/>; or a program of PostgreSQL failed.</exception>
    public async Task<ServerCommand> PrepareAsync(
        int port, string password, IReadOnlyList<string> settings, CancellationToken cancellationToken)
    {
        await FormerServer.WaitForEndAsync(Path.Combine(path, "postmaster.pid"), "postgres", cancellationToken).ConfigureAwait(false);
        if (!File.Exists(Path.Combine(path, "PG_VERSION")))
        {
            await CreateAsync(password, cancellationToken).ConfigureAwait(false);
        }
        else if (!File.Exists(PasswordStamp) || await File.ReadAllTextAsync(PasswordStamp, cancellationToken).ConfigureAwait(false) != Stamp(password))
        {
            await ChangePasswordAsync(password, cancellationToken).ConfigureAwait(false);
        }

        if (roles is not null && (!File.Exists(RolesStamp)
            || await File.ReadAllTextAsync(RolesStamp, cancellationToken).ConfigureAwait(false) != Stamp(roles.Statements)))
        {
            await QueryAsync(path, database, roles.Statements, cancellationToken).ConfigureAwait(false);
            PrivateFile.Write(RolesStamp, Stamp(roles.Statements));
        }

        return Command(port, settings);
    }

    /// <summary>The command alone, which is known before the data exists.</summary>
    public ServerCommand Command(int port, IReadOnlyList<string> settings) => new(
        Path.Combine(ProgramFolder(), "postgres"),
        [
            "-D", path, "-p", port.ToString(CultureInfo.InvariantCulture),
            .. Settings(["listen_addresses=localhost", "unix_socket_directories=", "max_connections=200", "log_timezone=UTC", .. settings]),
        ],
        Parent, User)
    {
        StopSignal = "INT", // "Fast": does not wait for clients to leave.
    };

    private static IEnumerable<string> Settings(IEnumerable<string> settings) => settings.SelectMany(setting => new[] { "-c", setting });

    private static string Stamp(string password) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("aspirechat postgres " + password)));

    private string ProgramFolder() => _programs ??= FindPrograms();

    private string FindPrograms()
    {
        if (User is not null && !File.ReadLines("/etc/passwd").Any(line => line.StartsWith($"{ServerUser}:", StringComparison.Ordinal)))
        {
            throw new ServerException(
                $"PostgreSQL does not run as root, and there is no user '{ServerUser}' to run it as: " +
                "install the package postgresql, or use another user.");
        }

        var versionFile = Path.Combine(path, "PG_VERSION");
        var version = File.Exists(versionFile) ? File.ReadAllText(versionFile).Trim() : null;
        if (version is null && Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).FirstOrDefault() is { } foreign)
        {
            throw new ServerException(
                $"{path} holds '{Path.GetFileName(foreign)}' but no PostgreSQL data: move it away or name another data folder.");
        }

        var installed = PostgresPrograms.Find();
        if (installed.Count == 0)
        {
            throw new ServerException(
                "initdb and postgres were found neither on the PATH nor in /usr/lib/postgresql: " +
                "install PostgreSQL (Debian, Ubuntu: apt-get install postgresql).");
        }

        return installed.FirstOrDefault(programs => version is null || programs.Major == version)?.Directory ?? throw new ServerException(
            $"{path} was made by PostgreSQL {version}, but installed is {string.Join(", ", installed.Select(programs => programs.Major))}: " +
            $"install PostgreSQL {version}, or delete the folder to start with no history.");
    }

    // All of it happens in a folder beside the final one: a start that is interrupted leaves no half data that looks like a whole.
    private async Task CreateAsync(string password, CancellationToken cancellationToken)
    {
        var unfinished = path + ".new";
        var passwordFile = path + ".password";
        if (!Directory.Exists(Parent))
        {
            PrivateFolder.CreatePassage(Parent);
        }

        if (Directory.Exists(unfinished))
        {
            Directory.Delete(unfinished, recursive: true);
        }

        PrivateFile.Write(passwordFile, password + "\n");
        PrivateFolder.Create(unfinished);
        try
        {
            if (User is not null)
            {
                await RunAsync(new ServerCommand("chown", [User, unfinished, passwordFile], Parent), "", cancellationToken).ConfigureAwait(false);
            }

            List<string> arguments =
            [
                "-D", unfinished, "-U", UserName, $"--pwfile={passwordFile}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
                "--no-instructions",
            ];
            if (!durable)
            {
                arguments.Add("--no-sync");
            }

            await RunAsync(new ServerCommand(Path.Combine(ProgramFolder(), "initdb"), arguments, Parent, User), "", cancellationToken)
                .ConfigureAwait(false);
            await QueryAsync(unfinished, "postgres", $"CREATE DATABASE \"{database.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", cancellationToken)
                .ConfigureAwait(false);
        }
        finally
        {
            File.Delete(passwordFile);
        }

        if (Directory.Exists(path))
        {
            Directory.Delete(path);
        }

        Directory.Move(unfinished, path);
        PrivateFile.Write(PasswordStamp, Stamp(password));
    }

    // Data and secrets can be parted: a deleted file of secrets, a password that configuration sets. The new password counts.
    private async Task ChangePasswordAsync(string password, CancellationToken cancellationToken)
    {
        await QueryAsync(path, "postgres", $"ALTER ROLE {UserName} PASSWORD '{password.Replace("'", "''", StringComparison.Ordinal)}'", cancellationToken)
            .ConfigureAwait(false);
        PrivateFile.Write(PasswordStamp, Stamp(password));
    }

    // PostgreSQL's single-user mode: no server, no port, the statements come by standard input (-j: each ends with an empty line). Failed
    // ones are not quoted, because passwords are in them.
    private Task QueryAsync(string data, string name, string statements, CancellationToken cancellationToken)
    {
        List<string> arguments =
        [
            "--single", "-j", "-D", data,
            .. Settings([durable ? "log_min_messages=error" : "fsync=off", "log_min_error_statement=panic"]), name,
        ];
        var command = new ServerCommand(Path.Combine(ProgramFolder(), "postgres"), arguments, Parent, User);
        return RunAsync(command, statements.TrimEnd(';', '\n') + ";\n\n", cancellationToken);
    }

    private async Task RunAsync(ServerCommand command, string input, CancellationToken cancellationToken)
    {
        var (exitCode, output) = await command.RunAsync(input, cancellationToken).ConfigureAwait(false);
        // Single-user mode says ERROR and ends with 0.
        if (exitCode != 0 || output.Contains("ERROR:", StringComparison.Ordinal))
        {
            throw new ServerException($"{Path.GetFileName(command.Program)} for {path} ended with code {exitCode}: {output.Trim()}");
        }
    }
}
