using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.Chaos.Hostile;

/// <summary>Redis' own list of its slowest calls. While Redis does one, everybody else waits.</summary>
internal sealed class SlowCalls(IDatabase redis)
{
    private const int MicrosecondsThatCount = 1_000;

    private static readonly Dictionary<string, string> Scripts = typeof(RedisScripts)
        .GetProperties(BindingFlags.Public | BindingFlags.Static)
        .Concat(typeof(PresenceScripts).GetProperties(BindingFlags.Public | BindingFlags.Static))
        .Where(property => property.PropertyType == typeof(string))
        .GroupBy(property => IdOf((string)property.GetValue(null)!))
        .ToDictionary(same => same.Key, same => FileOf(same.First()));

    public async Task BeginAsync()
    {
        await redis.ExecuteAsync("CONFIG", "SET", "slowlog-log-slower-than", MicrosecondsThatCount);
        await redis.ExecuteAsync("CONFIG", "SET", "slowlog-max-len", 1_000);
        await redis.ExecuteAsync("SLOWLOG", "RESET");
    }

    /// <summary>The slowest call since the beginning: milliseconds, and which script or command it was. 0: none took a millisecond.</summary>
    public async Task<(double Milliseconds, string Call)> SlowestAsync()
    {
        var slowest = (Milliseconds: 0.0, Call: "");
        foreach (var entry in (RedisResult[])(await redis.ExecuteAsync("SLOWLOG", "GET", 1_000))!)
        {
            var fields = (RedisResult[])entry!;
            var milliseconds = (long)fields[2] / 1e3;
            if (milliseconds > slowest.Milliseconds)
            {
                slowest = (milliseconds, NameOf((string[])fields[3]!));
            }
        }
        return slowest;
    }

    private static string NameOf(string[] call) => call switch
    {
        ["EVALSHA", var id, ..] => Scripts.GetValueOrDefault(id, "a script"),
        ["EVAL", var text, ..] => Scripts.GetValueOrDefault(IdOf(text), "a script"),
        [var command, ..] => command,
        [] => "",
    };

    [SuppressMessage("Security", "CA5350", Justification = "The id that Redis gives to a script.")]
    private static string IdOf(string script) => Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(script)));

    private static string FileOf(PropertyInfo script) =>
        (script.DeclaringType == typeof(PresenceScripts) ? "presence-" : "") + script.Name.ToLowerInvariant() + ".lua";
}
