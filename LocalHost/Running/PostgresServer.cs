using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace AspireChat.LocalHost.Running;

/// <summary>A PostgreSQL server process for a <see cref="PostgresServerResource"/>.</summary>
internal sealed class PostgresServer(PostgresServerResource resource, DataDirectory data, ProcessSpawner spawner,
    HostConsole console) : ILauncher
{
    // PostgreSQL refuses to run as root; Debian's package brings this user.
    private const string ServerUser = "postgres";

    private string? _programs;

    private static string? User => Environment.IsPrivilegedProcess ? ServerUser : null;

    private string DataPath => field ??= Place();

    public void Check()
    {
        if (User is not null && !File.ReadLines("/etc/passwd").Any(l => l.StartsWith($"{ServerUser}:", StringComparison.Ordinal)))
            throw new DistributedApplicationException(
                $"PostgreSQL does not run as root, and there is no user '{ServerUser}' to run it as: " +
                "install the package postgresql, or use another user.");
        var versionFile = Path.Combine(DataPath, "PG_VERSION");
        var version = File.Exists(versionFile) ? File.ReadAllText(versionFile).Trim() : null;
        if (version is null && Directory.Exists(DataPath) && Directory.EnumerateFileSystemEntries(DataPath).FirstOrDefault() is { } foreign)
            throw new DistributedApplicationException(
                $"{DataPath} holds '{Path.GetFileName(foreign)}' but no PostgreSQL data: move it away or name another data directory.");

        var installed = PostgresPrograms.Find();
        if (installed.Count == 0)
            throw new DistributedApplicationException(
                "initdb and postgres were found neither on the PATH nor in /usr/lib/postgresql: " +
                "install PostgreSQL (Debian, Ubuntu: apt-get install postgresql).");
        var fitting = installed.FirstOrDefault(p => version is null || p.Major == version);
        _programs = fitting?.Directory ?? throw new DistributedApplicationException(
            $"{DataPath} was made by PostgreSQL {version}, but installed is {string.Join(", ", installed.Select(p => p.Major))}: " +
            $"install PostgreSQL {version}, or delete the directory to start with no history.");
    }

    public async Task<ProcessLaunch> PrepareAsync(int replica, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        await FormerServer.WaitForEndAsync(Path.Combine(DataPath, "postmaster.pid"), "postgres", cancellationToken).ConfigureAwait(false);
        if (!File.Exists(Path.Combine(DataPath, "PG_VERSION"))) await CreateAsync(cancellationToken).ConfigureAwait(false);
        var port = resource.PrimaryEndpoint.Port.ToString(CultureInfo.InvariantCulture);
        List<string> settings =
        [
            "-D", DataPath, "-p", port, "-c", "listen_addresses=localhost", "-c", "unix_socket_directories=",
            "-c", "max_connections=200", "-c", "log_timezone=UTC", .. arguments,
        ];
        return new ProcessLaunch(Path.Combine(_programs!, "postgres"), settings, Parent())
        {
            User = User,
            Environment = new Dictionary<string, string> { ["LC_ALL"] = "C" },
            StopSignal = Signals.Interrupt, // "Fast": does not wait for clients to leave.
            DeathSignal = "INT",
        };
    }

    /// <summary>Asks the server for an answer through the given database.</summary>
    public static async Task<HealthCheckResult> CheckAsync(PostgresServerResource resource, string database,
        CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(resource, database, cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        return HealthCheckResult.Healthy();
    }

    /// <summary>Creates the database unless it exists.</summary>
    public static async Task CreateDatabaseAsync(PostgresDatabaseResource database, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(database.Parent, "postgres", cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(
            $"CREATE DATABASE \"{database.DatabaseName.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", connection);
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DuplicateDatabase)
        {
            // From an earlier run.
        }
    }

    private static async Task<NpgsqlConnection> ConnectAsync(PostgresServerResource resource, string database,
        CancellationToken cancellationToken)
    {
        var server = await resource.GetConnectionStringAsync(cancellationToken).ConfigureAwait(false);
        var connection = new NpgsqlConnection($"{server};Database={database};Pooling=false;Timeout=5;SSL Mode=Disable");
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // initdb works in a directory beside the final one: a start that is interrupted leaves no half database that looks like a whole one.
    private async Task CreateAsync(CancellationToken cancellationToken)
    {
        var unfinished = DataPath + ".new";
        var passwordFile = DataPath + ".password";
        if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
        var password = await resource.PasswordParameter.GetValueAsync(cancellationToken).ConfigureAwait(false);
        var user = await resource.UserNameReference.GetValueAsync(cancellationToken).ConfigureAwait(false);
        PrivateFile.Write(passwordFile, password + "\n");
        Directory.CreateDirectory(unfinished);
        try
        {
            if (User is not null) await RunAsync("chown", [User, unfinished, passwordFile], null, cancellationToken).ConfigureAwait(false);
            List<string> arguments =
            [
                "-D", unfinished, "-U", user ?? PostgresServerResource.DefaultUserName, $"--pwfile={passwordFile}", "--auth=scram-sha-256",
                "--encoding=UTF8", "--locale=C", "--no-instructions",
            ];
            if (data.IsTemporary) arguments.Add("--no-sync");
            await RunAsync(Path.Combine(_programs!, "initdb"), arguments, User, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(passwordFile);
        }

        if (Directory.Exists(DataPath)) Directory.Delete(DataPath);
        Directory.Move(unfinished, DataPath);
    }

    private async Task RunAsync(string program, IReadOnlyList<string> arguments, string? user, CancellationToken cancellationToken)
    {
        var launch = new ProcessLaunch(program, arguments, Parent())
        {
            User = user,
            Environment = new Dictionary<string, string> { ["LC_ALL"] = "C" },
        };
        var (exitCode, output) = await spawner.RunAsync(launch, cancellationToken).ConfigureAwait(false);
        if (exitCode != 0)
            throw new DistributedApplicationException(
                $"{Path.GetFileName(program)} for '{resource.Name}' ended with code {exitCode}: {output.Trim()}");
    }

    private string Parent() => Path.GetDirectoryName(DataPath)!;

    // Another user than this one must be able to pass through every directory above the data; /root, for one, lets nobody through.
    private string Place()
    {
        var place = data.For(resource.Name);
        if (User is null || OperatingSystem.IsWindows()) return place;
        for (var above = Path.GetDirectoryName(place); above is not null; above = Path.GetDirectoryName(above))
        {
            if (!Directory.Exists(above) || File.GetUnixFileMode(above).HasFlag(UnixFileMode.OtherExecute)) continue;
            var outside = data.OutsideFor(resource.Name);
            Directory.CreateDirectory(Path.GetDirectoryName(outside)!);
            console.Line($"PostgreSQL's data is in {outside}: its user '{ServerUser}' cannot pass through {above}.");
            return outside;
        }

        return place;
    }
}

/// <summary>An installed PostgreSQL.</summary>
internal sealed record PostgresPrograms(string Major, string Directory)
{
    /// <summary>The one on the PATH first, then Debian's version folders, the newest first.</summary>
    public static IReadOnlyList<PostgresPrograms> Find(string debian = "/usr/lib/postgresql")
    {
        List<PostgresPrograms> found = [];
        if (Programs.Find("postgres") is { } onPath && Real(onPath) is { } real && Path.GetDirectoryName(real) is { } directory &&
            IsWhole(directory))
            found.Add(new PostgresPrograms(MajorOf(directory), directory));
        if (System.IO.Directory.Exists(debian))
            found.AddRange(System.IO.Directory.EnumerateDirectories(debian)
                .Select(version => new PostgresPrograms(Path.GetFileName(version), Path.Combine(version, "bin")))
                .Where(p => IsWhole(p.Directory))
                .OrderByDescending(p => int.TryParse(p.Major, CultureInfo.InvariantCulture, out var major) ? major : 0));
        return found;
    }

    private static string Real(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;

    private static bool IsWhole(string directory) =>
        File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "postgres"));

    // "postgres (PostgreSQL) 15.18 (Debian …)"; a Debian folder says it in its name, without a process.
    private static string MajorOf(string directory)
    {
        if (Path.GetFileName(Path.GetDirectoryName(directory)) is { } folder && int.TryParse(folder, CultureInfo.InvariantCulture, out _))
            return folder;
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Path.Combine(directory, "postgres"),
            "--version")
        {
            RedirectStandardOutput = true,
        })!;
        var words = process.StandardOutput.ReadToEnd().Split(' ');
        return words.Length > 2 ? words[2].Split('.')[0] : "unknown";
    }
}
