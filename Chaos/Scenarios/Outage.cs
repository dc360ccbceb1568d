using System.Globalization;
using AspireChat.Chaos.Ledgers;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.Chaos;

/// <summary>
/// PostgreSQL is stopped and started again later. Meanwhile chat must go on as usual, with unwritten events waiting in the log. Afterwards
/// the log must drain, and history must have every event.
/// </summary>
internal sealed class Outage : Scenario
{
    public const string Name = "postgres stopped";

    public const string Ack = "send to ack, PostgreSQL stopped";

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(10);

    public override async Task RunAsync(Scene scene, CancellationToken stop)
    {
        var (length, ledger) = (TimeSpan.FromSeconds(scene.Options.Seconds), scene.Ledger);
        await using var redis = await scene.Stack.RedisAsync();
        var before = TimeSpan.FromTicks(Math.Min(Before.Ticks, length.Ticks));
        var usual = await CountAsync(before);
        await scene.Stack.Host.CommandAsync(scene.Stack.Instance("postgres"), "stop", stop);
        Current = Name;
        (double Acknowledged, double Delivered) meanwhile;
        long backlog;
        try
        {
            meanwhile = await CountAsync(length);
            backlog = await BacklogAsync(redis);
        }
        finally
        {
            Current = "";
            await scene.Stack.Host.CommandAsync(scene.Stack.Instance("postgres"), "start", CancellationToken.None);
        }
        Count(Name);
        var at = TimeProvider.System.GetTimestamp();
        // Traffic goes on, so the log counts as drained when only the newest events wait.
        while (await BacklogAsync(redis) > Math.Max(scene.Options.Rate, 50))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop);
        }

        var drained = TimeProvider.System.GetElapsedTime(at).TotalSeconds;
        var after = await CountAsync(before);
        Note(Line("before", usual, before));
        Note(Line("stopped", meanwhile, length));
        Note(Line("after", after, before));
        Note(string.Create(CultureInfo.InvariantCulture,
            $"{backlog} entries waited in the log; written {drained:0.0} s after the start command"));
        Require("acknowledged", meanwhile.Acknowledged / length.TotalSeconds, usual.Acknowledged / before.TotalSeconds);
        Require("delivered", meanwhile.Delivered / length.TotalSeconds, usual.Delivered / before.TotalSeconds);

        async Task<(double Acknowledged, double Delivered)> CountAsync(TimeSpan span)
        {
            var (acknowledged, delivered) = (ledger.Count, ledger.Delivered);
            await Task.Delay(span, TimeProvider.System, stop);
            return (ledger.Count - acknowledged, ledger.Delivered - delivered);
        }

        void Require(string what, double stopped, double asUsual)
        {
            if (stopped < asUsual * scene.Options.LeastShare)
            {
                ledger.Findings.Add(Breach.Stalled, $"{stopped:0}/s were {what} without PostgreSQL, and {asUsual:0}/s before");
            }
        }
    }

    private static string Line(string when, (double Acknowledged, double Delivered) counts, TimeSpan span)
    {
        var (acknowledged, delivered) = (counts.Acknowledged / span.TotalSeconds, counts.Delivered / span.TotalSeconds);
        return string.Create(CultureInfo.InvariantCulture, $"{when,-8} {acknowledged:0} events/s acknowledged, {delivered:0}/s delivered");
    }

    private static async Task<long> BacklogAsync(ConnectionMultiplexer redis)
    {
        var database = redis.GetDatabase();
        var lengths = Enumerable.Range(0, LogPartitions.Count).Select(partition => database.StreamLengthAsync(RedisKeys.Log(partition)));
        return (await Task.WhenAll(lengths)).Sum();
    }
}
