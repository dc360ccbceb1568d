namespace AspireChat.Servers;

/// <summary>Files that only this user may read: 0600. Windows keeps a user's folders apart by itself.</summary>
internal static class PrivateFile
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Replaces the file in one step: a process that dies meanwhile leaves the old or the new one.</summary>
    public static void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (var writer = new StreamWriter(Open(path + ".new", FileMode.Create, FileAccess.Write, FileShare.Read)))
        {
            writer.Write(content);
        }

        File.Move(path + ".new", path, overwrite: true);
    }

    public static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Mode;
        }

        var file = new FileStream(path, options);
        Tighten(path);
        return file;
    }

    /// <summary>For a file that may have been made by an earlier version, which left it to the umask.</summary>
    public static void Tighten(string path)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(path))
        {
            File.SetUnixFileMode(path, Mode);
        }
    }
}

/// <summary>Folders that nobody else can look into.</summary>
internal static class PrivateFolder
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>0700. What lies in it already becomes private too.</summary>
    public static void Create(string path)
    {
        Make(path, Mode);
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var noLinks = new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (var folder in Directory.EnumerateDirectories(path, "*", noLinks))
        {
            Create(folder);
        }

        foreach (var file in Directory.EnumerateFiles(path, "*", noLinks))
        {
            PrivateFile.Tighten(file);
        }
    }

    /// <summary>
    /// 0700, or 0711 for root: PostgreSQL then runs as another user, who must pass through to its data. Nobody can list the folder.
    /// </summary>
    public static void CreatePassage(string path) =>
        Make(path, Environment.IsPrivilegedProcess ? Mode | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : Mode);

    private static void Make(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, mode);
        File.SetUnixFileMode(path, mode); // Whatever the umask took, or an earlier version gave.
    }
}
