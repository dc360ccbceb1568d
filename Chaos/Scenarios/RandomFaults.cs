using AspireChat.Chaos.Faults;
using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Stack;
using StackExchange.Redis;

namespace AspireChat.Chaos;

/// <summary>
/// Injects the faults of a plan, one after another. After each it waits until a message gets through the system again. It ends when the
/// plan is done and enough events are acknowledged.
/// </summary>
internal sealed class RandomFaults(ChaosOptions options) : Scenario
{
    public const string GapHeal = "gap heal after lost pub/sub";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Random _random = new(options.Seed);
    private readonly IReadOnlyList<PlannedFault> _plan = FaultPlan.Make(options.Seed, options.Faults, options.Only);

    public override async Task RunAsync(Scene scene, CancellationToken stop)
    {
        await using var redis = await scene.Stack.RedisAsync();
        foreach (var fault in _plan)
        {
            await Task.Delay(fault.Pause, TimeProvider.System, stop);
            // The faults are spread over the events, so that most of them hit a system that works and has traffic again.
            await UntilAsync(() => (long)Done * options.Events <= (long)scene.Ledger.Count * _plan.Count, stop);
            Current = fault.Name;
            await InjectAsync(scene, fault, redis, stop);
            await HealAsync(scene, fault, stop);
            Current = "";
            Count(fault.Name);
        }
        await UntilAsync(() => scene.Ledger.Count >= options.Events, stop);
    }

    /// <summary>Injects the fault. Returns at the moment from which the system can heal.</summary>
    private async Task InjectAsync(Scene scene, PlannedFault fault, ConnectionMultiplexer redis, CancellationToken stop)
    {
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                await KillAsync(scene.Stack, fault.Target, stop);
                break;
            case FaultKind.Pause:
                await PauseAsync(scene.Stack, fault, stop);
                break;
            case FaultKind.PubSub:
                await redis.GetDatabase().ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");
                break;
            case FaultKind.Wipe:
                await Wipe.RunAsync(redis, scene.Ledger);
                break;
            default:
                await SpoilAsync(scene.Stack.Links[fault.Target], fault, stop);
                break;
        }
    }

    /// <summary>
    /// Starts the process again, as an orchestrator would. The system can heal while a service starts, but not without a server.
    /// </summary>
    private static async Task KillAsync(ChatStack stack, string target, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        var instance = stack.Instance(target);
        await stack.Host.KillAsync(instance, patience.Token);
        if (target is "redis" or "postgres" or "gateway")
        {
            await stack.Host.StartAsync(instance, patience.Token);
        }
        else
        {
            await stack.Host.CommandAsync(instance, "start", patience.Token);
        }
    }

    private static async Task PauseAsync(ChatStack stack, PlannedFault fault, CancellationToken stop)
    {
        if (stack.Host.ProcessOf(stack.Instance(fault.Target)) is not { } process)
        {
            return;
        }

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
                    link.Delay = TimeSpan.FromMilliseconds(_random.Next(20, 250));
                    break;
                case FaultKind.Slice:
                    link.Slice = _random.Next(1, 8);
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

    private static async Task HealAsync(Scene scene, PlannedFault fault, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            var time = await scene.Canary.RoundTripAsync(patience.Token);
            scene.Ledger.Durations.Add("heal: " + fault.Name, time);
            scene.Ledger.Durations.Add(fault.Kind == FaultKind.PubSub ? GapHeal : "heal: all others", time);
            // The next fault begins only when all processes are back. The loss of two replicas at once is another test.
            while (fault.Kind is FaultKind.Kill && !scene.Stack.Host.IsHealthy(scene.Stack.Instance(fault.Target)))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            var text = $"fault {fault.Number} ({fault.Name}) had not healed after {Patience.TotalSeconds} s";
            scene.Ledger.Findings.Add(Breach.Unhealed, text);
        }
    }
}
