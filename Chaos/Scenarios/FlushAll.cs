using System.Globalization;
using AspireChat.Chaos.Ledgers;

namespace AspireChat.Chaos;

/// <summary>
/// <c>FLUSHALL</c> under traffic. Every reader must be told the new epoch, and the database must keep its events. In the end every message
/// must be there. Those that had an <c>ack</c> but were not in the database yet get there by a second send.
/// </summary>
internal sealed class FlushAll : Scenario
{
    private readonly List<IReadOnlyDictionary<string, IReadOnlyList<Stored>>> _before = [];

    public override async Task RunAsync(Scene scene, CancellationToken stop)
    {
        var conversations = scene.Views.Select(view => view.Conversation).Distinct().ToList();
        await using var redis = await scene.Stack.RedisAsync();
        for (var wipe = 1; wipe <= scene.Options.Times; wipe++)
        {
            await Task.Delay(TimeSpan.FromSeconds(scene.Options.Seconds), TimeProvider.System, stop);
            var before = await scene.Stack.StoredAsync(conversations, stop);
            _before.Add(before);
            var (rows, acknowledged) = (before.Values.Sum(events => events.Count), scene.Ledger.Count);
            Current = "redis wiped";
            var at = TimeProvider.System.GetTimestamp();
            await Wipe.RunAsync(redis, scene.Ledger);
            await UntilAsync(() => scene.Views.All(view => !view.Begun || !scene.Ledger.IsWiped(view.Epoch)), stop);
            var told = TimeProvider.System.GetElapsedTime(at).TotalSeconds;
            await scene.Canary.RoundTripAsync(stop);
            var again = TimeProvider.System.GetElapsedTime(at).TotalSeconds;
            Current = "";
            Count("redis wiped");
            Note(string.Create(CultureInfo.InvariantCulture,
                $"wipe {wipe}: {acknowledged} acknowledged so far, {rows} rows in the database; all {scene.Views.Count} views were told the "
                + $"new epoch after {told:0.00} s, messages got through after {again:0.00} s"));
        }
        await Task.Delay(TimeSpan.FromSeconds(Math.Min(10, scene.Options.Seconds)), TimeProvider.System, stop);
    }

    public override void Check(LedgerCheck check)
    {
        foreach (var before in _before)
        {
            check.CheckIntact(before);
        }

        Note($"rows from before each wipe that are unaltered in the database: {_before.Sum(before => before.Values.Sum(e => e.Count))}"
            + (check.Damaged > 0 ? $" less {check.Damaged}" : ""));
    }
}
