namespace AspireChat.Contracts.Redis;

/// <summary>The Lua scripts, embedded. Keys and arguments are described at the top of each file.</summary>
public static class RedisScripts
{
    public static string Append { get; } = Load("append.lua");

    public static string Join { get; } = Load("join.lua");

    public static string Leave { get; } = Load("leave.lua");

    public static string Members { get; } = Load("members.lua");

    public static string Read { get; } = Load("read.lua");

    public static string Tail { get; } = Load("tail.lua");

    public static string Lease { get; } = Load("lease.lua");

    public static string Persisters { get; } = Load("persisters.lua");

    public static string Drop { get; } = Load("drop.lua");

    public static string Inspect { get; } = Load("inspect.lua");

    public static string Open { get; } = Load("open.lua");

    public static string Durable { get; } = Load("durable.lua");

    public static string Acknowledge { get; } = Load("acknowledge.lua");

    public static string Bury { get; } = Load("bury.lua");

    private static string Load(string file)
    {
        using var stream = typeof(RedisScripts).Assembly.GetManifestResourceStream(file)
            ?? throw new InvalidOperationException($"The script {file} is not embedded in {typeof(RedisScripts).Assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        // Without comments: the client hashes the text at each call to find the script's id, which costs a microsecond for each 2,000 characters.
        var code = reader.ReadToEnd().Split('\n').Where(line => !line.TrimStart().StartsWith("--", StringComparison.Ordinal));
        return string.Join('\n', code);
    }
}
