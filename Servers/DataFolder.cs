using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace AspireChat.Servers;

/// <summary>
/// The folder of the servers' data and of the secrets that open it: both are kept, moved and deleted together. Only one host at a time can
/// open a folder. No other user of the machine can read anything in it. Thread-safe.
/// </summary>
public sealed class DataFolder : IDisposable
{
    private const string Secrets = "secrets.json";

    private readonly Lock _lock = new();
    private readonly FileStream _held;
    private readonly Dictionary<string, string> _secrets;

    private DataFolder(string path, bool isTemporary, FileStream held)
    {
        Path = path;
        IsTemporary = isTemporary;
        _held = held;
        var file = System.IO.Path.Combine(path, Secrets);
        _secrets = File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file)) ?? [] : [];
    }

    public string Path { get; }

    /// <summary>12 hex digits, kept with the secrets: data that lies elsewhere carries it, and new secrets never meet old data.</summary>
    public string Id => Secret("folder-id", () => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)));

    /// <summary>True for a folder that is deleted when it is disposed, or when this process ends.</summary>
    public bool IsTemporary { get; }

    /// <summary>Creates the folder if it is missing, and takes it for this process.</summary>
    /// <exception cref="ServerException">Another host has it, or it cannot be written.</exception>
    public static DataFolder Open(string path) => Open(path, isTemporary: false);

    /// <summary>A new folder that nothing else knows.</summary>
    public static DataFolder Temporary() => Open(TemporaryFolder.Create("data"), isTemporary: true);

    /// <summary>The place of one server's data.</summary>
    public string For(string server) => System.IO.Path.Combine(Path, server);

    /// <summary>
    /// A place that a server can reach that runs as another user, for a folder that lies below a directory which lets nobody through.
    /// </summary>
    public string OutsideFor(string server) =>
        System.IO.Path.Combine("/var/lib/aspirechat", Id, server);

    /// <summary>A secret that is generated once and kept with the data, readable by this user only.</summary>
    public string Secret(string name, Func<string> generate)
    {
        lock (_lock)
        {
            if (_secrets.TryGetValue(name, out var known))
            {
                return known;
            }

            var generated = generate();
            _secrets.Add(name, generated);
            PrivateFile.Write(System.IO.Path.Combine(Path, Secrets), JsonSerializer.Serialize(_secrets));
            return generated;
        }
    }

    public void Dispose()
    {
        _held.Dispose();
        if (IsTemporary)
        {
            TemporaryFolder.Delete(Path);
        }
    }

    private static DataFolder Open(string path, bool isTemporary)
    {
        var holderFile = System.IO.Path.Combine(path, "host.pid");
        FileStream? held = null;
        try
        {
            var lockFile = System.IO.Path.Combine(path, "host.lock");
            // A folder that holds other things as well keeps its mode; what is put into it is private by itself.
            if (!Directory.Exists(path) || File.Exists(lockFile) || !Directory.EnumerateFileSystemEntries(path).Any())
            {
                PrivateFolder.CreatePassage(path);
            }

            held = PrivateFile.Open(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            PrivateFile.Write(holderFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            PrivateFile.Tighten(System.IO.Path.Combine(path, Secrets));
            return new DataFolder(path, isTemporary, held);
        }
        catch (IOException e) when (File.Exists(holderFile) && held is null)
        {
            throw new ServerException(
                $"Another host (process {File.ReadAllText(holderFile)}) uses the data folder {path}: " +
                "stop it, or start this one with Data__Folder=<another folder>.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            held?.Dispose();
            throw new ServerException($"The data folder {path} cannot be used: {e.Message}", e);
        }
    }
}
