using System.Globalization;
using AspireChat.Tests.Servers;
using StackExchange.Redis;

namespace AspireChat.Tests.RedisLog;

/// <summary>What Redis says of calls that held it up.</summary>
internal static class SlowLog
{
    /// <summary>A call that is longer holds up everybody, noticeably.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(10);

    private const int Attempts = 5;

    /// <summary>
    /// Runs the attack until no call was slow in it, and fails when each attempt had a slow one. Redis measures by the clock, so a call is
    /// slow too while other programs have the processor. What Redis waited for it in an attempt is not held against any call.
    /// </summary>
    public static async Task HasNoScriptAsync(RedisServer redis, Func<int, Task> attack)
    {
        await using var connection = await redis.ConnectAsync();
        var server = connection.GetServers()[0];
        await server.ConfigSetAsync("slowlog-log-slower-than", (long)Longest.TotalMicroseconds);
        await server.ConfigSetAsync("slowlog-max-len", 1_000);
        List<string> slow = [];
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            await server.SlowlogResetAsync();
            var before = WaitedForProcessor(redis.ProcessId);
            await attack(attempt);
            var waited = WaitedForProcessor(redis.ProcessId) - before;
            slow = [.. (await server.SlowlogGetAsync(1_000))
                .Where(call => call.Arguments[0].ToString() is "EVAL" or "EVALSHA" && call.Duration > Longest + waited)
                .Select(call => $"{call.Duration.TotalMilliseconds:0.0} ms: {Text(call.Arguments)}")];
            if (slow.Count == 0)
            {
                return;
            }
        }
        Assert.Fail($"In each of {Attempts} attempts a call took longer than {Longest.TotalMilliseconds} ms; in the last:\n{string.Join('\n', slow)}");
    }

    /// <summary>How long the server's main thread was ready to run and did not (Linux: the second number of schedstat, nanoseconds).</summary>
    private static TimeSpan WaitedForProcessor(int process)
    {
        var path = $"/proc/{process}/task/{process}/schedstat";
        return File.Exists(path)
            ? TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText(path).Split(' ')[1], CultureInfo.InvariantCulture) / 1_000)
            : TimeSpan.Zero;
    }

    private static string Text(RedisValue[] arguments) => string.Join(' ', arguments.Take(6).Select(argument =>
        argument.ToString() is { Length: > 60 } text ? text[..60].ReplaceLineEndings(" ") : argument.ToString()));
}
