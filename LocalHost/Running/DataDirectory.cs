using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Aspire.Hosting;
using Microsoft.Extensions.Configuration;

namespace AspireChat.LocalHost.Running;

/// <summary>The directory of the servers' data. Opening it takes a lock, so that two hosts never share one.</summary>
internal sealed class DataDirectory(IConfiguration configuration, string appHostDirectory) : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly Lock _once = new();
    private string? _path;
    private FileStream? _lock;

    /// <summary>True for a directory that is removed when the host ends.</summary>
    public bool IsTemporary { get; private set; }

    public string Path
    {
        get
        {
            lock (_once) return _path ??= Resolve();
        }
    }

    /// <summary>Creates and locks the directory.</summary>
    /// <exception cref="DistributedApplicationException">Another host has it, or it cannot be written.</exception>
    public void Open()
    {
        if (_lock is not null) return;
        var holderFile = System.IO.Path.Combine(Path, "host.pid");
        try
        {
            Directory.CreateDirectory(Path);
            _lock = new FileStream(System.IO.Path.Combine(Path, "host.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(holderFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException) when (File.Exists(holderFile) && _lock is null)
        {
            throw new DistributedApplicationException(
                $"Another host (process {File.ReadAllText(holderFile)}) uses the data directory {Path}: " +
                "stop it, or start this one with LocalHost__DataDirectory=<another directory>.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DistributedApplicationException($"The data directory {Path} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>
    /// A subdirectory for a server. Directories above it may be passed through, so that a server under another user gets in.
    /// </summary>
    public string For(string resource)
    {
        if (!OperatingSystem.IsWindows() && IsTemporary)
            File.SetUnixFileMode(Path, Owner | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return System.IO.Path.Combine(Path, resource);
    }

    /// <summary>A place that every user can get to, the same for the same checkout: for a server that may not run as root.</summary>
    public string OutsideFor(string resource)
    {
        var checkout = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path)))[..12];
        return System.IO.Path.Combine("/var/lib/aspirechat", checkout, resource);
    }

    public void Dispose()
    {
        _lock?.Dispose();
        _lock = null;
        if (!IsTemporary || _path is null) return;
        try
        {
            Directory.Delete(_path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A temporary directory left behind does no harm.
        }
    }

    private string Resolve()
    {
        if (configuration[$"{LocalHostOptions.Section}:{nameof(LocalHostOptions.DataDirectory)}"] is { Length: > 0 } asked)
            return System.IO.Path.GetFullPath(asked, appHostDirectory);
        if (configuration.GetValue<bool>($"{LocalHostOptions.Section}:{nameof(LocalHostOptions.TemporaryData)}"))
        {
            IsTemporary = true;
            return Directory.CreateTempSubdirectory("aspirechat-").FullName;
        }

        return System.IO.Path.GetFullPath(System.IO.Path.Combine(appHostDirectory, "..", "artifacts", "data"));
    }
}
