using System.Diagnostics;
using System.Globalization;

namespace AspireChat.Servers;

/// <summary>An installed PostgreSQL: its major version and the directory of its programs.</summary>
internal sealed record PostgresPrograms(string Major, string Directory)
{
    /// <summary>The one on the PATH first, then those in Debian's version folders, the newest first.</summary>
    public static IReadOnlyList<PostgresPrograms> Find(string? searchPath = null, string debian = "/usr/lib/postgresql")
    {
        List<PostgresPrograms> found = [];
        if (Programs.Find("postgres", searchPath) is { } onPath && Path.GetDirectoryName(Real(onPath)) is { } directory && IsWhole(directory))
        {
            found.Add(new PostgresPrograms(MajorOf(directory), directory));
        }

        if (System.IO.Directory.Exists(debian))
        {
            found.AddRange(System.IO.Directory.EnumerateDirectories(debian)
                .Select(version => new PostgresPrograms(Path.GetFileName(version), Path.Combine(version, "bin")))
                .Where(programs => IsWhole(programs.Directory) && !found.Contains(programs))
                .OrderByDescending(programs => int.TryParse(programs.Major, CultureInfo.InvariantCulture, out var major) ? major : 0));
        }
        return found;
    }

    private static string Real(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;

    private static bool IsWhole(string directory) =>
        File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "postgres"));

    // "postgres (PostgreSQL) 15.18 (Debian …)"; a Debian folder says it in its name, without a process.
    private static string MajorOf(string directory)
    {
        if (Path.GetFileName(Path.GetDirectoryName(directory)) is { } folder && int.TryParse(folder, CultureInfo.InvariantCulture, out _))
        {
            return folder;
        }

        using var process = Process.Start(new ProcessStartInfo(Path.Combine(directory, "postgres"), "--version")
        {
            RedirectStandardOutput = true,
        })!;
        var words = process.StandardOutput.ReadToEnd().Split(' ');
        return words.Length > 2 ? words[2].Split('.')[0] : "unknown";
    }
}
