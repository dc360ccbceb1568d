using System.Net;
using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Stack;
using AspireChat.Chaos.Traffic;
using StackExchange.Redis;

namespace AspireChat.Chaos.Faults;

/// <summary>Does the faults of a plan one after another, and waits after each until a message gets through the system again.</summary>
internal sealed class FaultInjector(ChatStack stack, Canary canary, Ledger ledger, Durations durations, Random random)
{
    public const string GapHeal = "gap heal after lost pub/sub";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Dictionary<string, int> _done = [];

    public int Done { get; private set; }

    public IReadOnlyDictionary<string, int> ByName => _done;

    /// <summary>The fault whose effects are being felt; empty between faults.</summary>
    public string Current { get; private set; } = "";

    public async Task RunAsync(IReadOnlyList<PlannedFault> plan, CancellationToken stop)
    {
        await using var redis = await stack.RedisAsync();
        foreach (var fault in plan)
        {
            await Task.Delay(fault.Pause, TimeProvider.System, stop);
            Current = fault.Name;
            await InjectAsync(fault, redis, stop);
            await HealAsync(fault, stop);
            Current = "";
            Done++;
            _done[fault.Name] = _done.GetValueOrDefault(fault.Name) + 1;
        }
    }

    /// <summary>Returns at the moment from which the system could heal.</summary>
    private async Task InjectAsync(PlannedFault fault, ConnectionMultiplexer redis, CancellationToken stop)
    {
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                await KillAsync(fault.Target, stop);
                break;
            case FaultKind.Pause:
                await PauseAsync(fault, stop);
                break;
            case FaultKind.PubSub:
                await redis.GetDatabase().ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");
                break;
            case FaultKind.Wipe:
                foreach (var epoch in await ChatStack.EpochsAsync(redis.GetDatabase()))
                    ledger.Wipe(epoch);
                await Admin(redis).FlushAllDatabasesAsync();
                break;
            default:
                await SpoilAsync(stack.Links[fault.Target], fault, stop);
                break;
        }
    }

    private async Task KillAsync(string target, CancellationToken stop)
    {
        if (stack.ProcessOf(target) is not { } process)
            return;
        // A killed postmaster leaves its sessions working for a moment, and its successor waits for them to end.
        Processes.Signal("KILL", process);
        if (target is "connection-0" or "connection-1" or "persistence" or "presence")
            return;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        while (stack.ProcessOf(target) is not { } again || again == process)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
        await stack.ReachableAsync(target, patience.Token);
    }

    private async Task PauseAsync(PlannedFault fault, CancellationToken stop)
    {
        if (stack.ProcessOf(fault.Target) is not { } process)
            return;
        var all = Processes.WithChildren(process);
        Processes.Signal("STOP", all);
        try
        {
            await Task.Delay(fault.Length, TimeProvider.System, stop);
        }
        finally
        {
            Processes.Signal("CONT", all);
        }
    }

    private async Task SpoilAsync(TcpFaultProxy link, PlannedFault fault, CancellationToken stop)
    {
        try
        {
            switch (fault.Kind)
            {
                case FaultKind.Delay:
                    link.Delay = TimeSpan.FromMilliseconds(random.Next(20, 250));
                    break;
                case FaultKind.Slice:
                    link.Slice = random.Next(1, 8);
                    break;
                case FaultKind.Cut:
                    link.Refuses = true;
                    link.Cut();
                    break;
                default:
                    link.Swallow();
                    break;
            }
            await Task.Delay(fault.Length, TimeProvider.System, stop);
        }
        finally
        {
            link.Delay = TimeSpan.Zero;
            link.Slice = 0;
            link.Refuses = false;
            link.Cut(onlySwallowed: true);
        }
    }

    private async Task HealAsync(PlannedFault fault, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            var time = await canary.RoundTripAsync(patience.Token);
            durations.Add("heal: " + fault.Name, time);
            durations.Add(fault.Kind == FaultKind.PubSub ? GapHeal : "heal: all others", time);
            // The next fault finds everything there that this one took away: two replicas at once are another test.
            while (fault.Kind is FaultKind.Kill && !stack.IsHealthy(fault.Target))
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            ledger.Findings.Add(Breach.Unhealed, $"fault {fault.Number} ({fault.Name}) had not healed after {Patience.TotalSeconds} s");
        }
    }

    private static IServer Admin(ConnectionMultiplexer redis)
    {
        EndPoint endpoint = redis.GetEndPoints()[0];
        return redis.GetServer(endpoint);
    }
}
