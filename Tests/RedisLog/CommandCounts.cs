using System.Globalization;
using StackExchange.Redis;

namespace AspireChat.Tests.RedisLog;

/// <summary>
/// How often Redis has run each command, for a client or in a script. A count is the same on a busy machine.
/// </summary>
internal sealed class CommandCounts
{
    private readonly Dictionary<string, long> _calls;

    private CommandCounts(Dictionary<string, long> calls) => _calls = calls;

    public long this[string command] => _calls.GetValueOrDefault(command);

    public static async Task<CommandCounts> ReadAsync(IDatabase redis)
    {
        var info = (string)(await redis.ExecuteAsync("INFO", "commandstats"))!;
        return new(info.Split("\r\n").Where(line => line.StartsWith("cmdstat_", StringComparison.Ordinal)).ToDictionary(
            line => line["cmdstat_".Length..line.IndexOf(':', StringComparison.Ordinal)],
            line => long.Parse(line.Split("calls=")[1].Split(',')[0], CultureInfo.InvariantCulture)));
    }

    public CommandCounts Since(CommandCounts earlier) => new(_calls.ToDictionary(pair => pair.Key, pair => pair.Value - earlier[pair.Key]));
}
