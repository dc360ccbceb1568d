namespace AspireChat.RedisLog;

/// <summary>
/// The Lua scripts of the log, embedded; those of presence are <see cref="PresenceScripts"/>. Keys, arguments and reply are described at
/// the top of each file.
/// </summary>
public static class RedisScripts
{
    public static string Append { get; } = Load("append.lua");

    /// <summary>No script, but functions of those that follow: what a user is in a room, and what they may do.</summary>
    public static string Rules { get; } = Load("rules.lua") + '\n';

    public static string Admit { get; } = Load("admit.lua");
    public static string Spend { get; } = Load("spend.lua");
    public static string Join { get; } = Rules + Load("join.lua");
    public static string Leave { get; } = Rules + Load("leave.lua");
    public static string Member { get; } = Rules + Load("member.lua");
    public static string Room { get; } = Rules + Load("room.lua");
    public static string Standing { get; } = Rules + Load("standing.lua");
    public static string Adopt { get; } = Rules + Load("adopt.lua");
    public static string Members { get; } = Load("members.lua");
    public static string Read { get; } = Load("read.lua");
    public static string Profile { get; } = Load("profile.lua");
    public static string Revoke { get; } = Load("revoke.lua");
    public static string Heads { get; } = Load("heads.lua");
    public static string After { get; } = Load("after.lua");
    public static string Tail { get; } = Load("tail.lua");
    public static string Lease { get; } = Load("lease.lua");
    public static string Persisters { get; } = Load("persisters.lua");
    public static string Drop { get; } = Load("drop.lua");
    public static string Inspect { get; } = Load("inspect.lua");
    public static string Open { get; } = Load("open.lua");
    public static string Durable { get; } = Load("durable.lua");
    public static string Acknowledge { get; } = Load("acknowledge.lua");
    public static string Erase { get; } = Load("erase.lua");
    public static string Bury { get; } = Load("bury.lua");

    /// <summary>
    /// A script without its comments: at each call the client hashes the text to find the script's id, which costs a microsecond for each
    /// 2,000 characters.
    /// </summary>
    internal static string Load(string file)
    {
        using var stream = typeof(RedisScripts).Assembly.GetManifestResourceStream(file)
            ?? throw new InvalidOperationException($"The script {file} is not embedded in {typeof(RedisScripts).Assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        var code = reader.ReadToEnd().Split('\n').Where(line => !line.TrimStart().StartsWith("--", StringComparison.Ordinal));
        return string.Join('\n', code);
    }
}
