namespace AspireChat.Contracts.Redis;

/// <summary>The Lua scripts, embedded. Keys and arguments are described at the top of each file.</summary>
public static class RedisScripts
{
    public static string Append { get; } = Load("append.lua");

    public static string Join { get; } = Load("join.lua");

    public static string Leave { get; } = Load("leave.lua");

    public static string Read { get; } = Load("read.lua");

    private static string Load(string file)
    {
        using var stream = typeof(RedisScripts).Assembly.GetManifestResourceStream(file)
            ?? throw new InvalidOperationException($"The script {file} is not embedded in {typeof(RedisScripts).Assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
