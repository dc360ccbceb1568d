namespace AspireChat.RedisLog;

/// <summary>
/// The epoch of a conversation: its partition's, and behind a point the number of times that the room was deleted, if it was (rules.lua).
/// Thread-safe: pure functions.
/// </summary>
public static class RoomEpoch
{
    private const char Separator = '.';

    /// <param name="life">Empty: the room was never deleted.</param>
    public static string Of(string partition, string life) => life.Length == 0 ? partition : $"{partition}{Separator}{life}";

    /// <summary>Empty: the room was never deleted.</summary>
    public static string LifeOf(string epoch) => epoch.IndexOf(Separator, StringComparison.Ordinal) is var at and >= 0 ? epoch[(at + 1)..] : "";
}
