using System.Text.Json;

namespace AspireChat.LocalHost.Running;

/// <summary>Generated passwords and keys, kept in the data directory because the data is locked with them. Thread-safe.</summary>
internal sealed class GeneratedSecrets(DataDirectory data)
{
    private readonly Lock _lock = new();
    private Dictionary<string, string>? _values;

    public string GetOrAdd(string name, Func<string> generate)
    {
        lock (_lock)
        {
            var file = Path.Combine(data.Path, "secrets.json");
            _values ??= File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file)) ?? [] : [];
            if (_values.TryGetValue(name, out var known)) return known;
            var generated = generate();
            _values.Add(name, generated);
            PrivateFile.Write(file, JsonSerializer.Serialize(_values));
            return generated;
        }
    }
}

/// <summary>Files that only this user may read.</summary>
internal static class PrivateFile
{
    /// <summary>Replaces the file in one step: a host that dies meanwhile leaves the old or the new one.</summary>
    public static void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(path + ".new", options)) writer.Write(content);
        File.Move(path + ".new", path, overwrite: true);
    }
}
