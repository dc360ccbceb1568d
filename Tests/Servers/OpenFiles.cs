namespace AspireChat.Tests.Servers;

/// <summary>Looks for what other users of the machine could read.</summary>
internal static class OpenFiles
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>The files and folders below, and the folder itself, that somebody else could read, write or list.</summary>
    public static IReadOnlyList<string> In(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return [];
        }

        List<string> open = [];
        foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Prepend(folder))
        {
            if ((File.GetUnixFileMode(path) & Others) != 0)
            {
                open.Add(path);
            }
        }

        return open;
    }
}
