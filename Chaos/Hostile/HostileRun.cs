using AspireChat.Chaos.Faults;
using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Stack;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using StackExchange.Redis;

namespace AspireChat.Chaos.Hostile;

/// <summary>
/// One system with its default limits, one attack after the other, and what each does to everybody else. With several attackers there is one row:
/// all of them at once, each with the next attack of the list.
/// </summary>
internal sealed class HostileRun(ChaosOptions options, HostileBounds bounds, Action<string> say)
{
    private const string Mix = "mix";

    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    private readonly List<HostileRow> _rows = [];
    private readonly MemoryLimits? _limits = options.MemoryLimit > 0 ? new MemoryLimits(options.MemoryLimit) : null;

    /// <summary>The memory of all processes during the run.</summary>
    public MemoryCurve Curve { get; } = new(TimeProvider.System);

    public async Task<HostileReport> RunAsync(CancellationToken cancellationToken)
    {
        var attacks = AttackList.Choose(options.Only);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartPatience);
        using var limits = _limits;
        // A container has no process whose memory could be read.
        string[] settings = ["Servers=processes", .. limits is null ? (string[])[] : [limits.RedisSetting]];
        await using var host = await RunningAppHost.StartAsync(settings, limits is null ? null : LimitMemory, patience.Token);
        await using var redis = await ConnectAsync(host);
        var slow = new SlowCalls(redis.GetDatabase());
        await WarmUpAsync(host, cancellationToken);

        say(HostileReport.Heading);
        foreach (var (name, chosen) in options.Attackers > 1
            ? [(Mix, attacks)]
            : attacks.Select(attack => (attack.Name, (IReadOnlyList<Attack>)[attack])))
        {
            var row = await TryRowAsync(name, chosen, host, slow, cancellationToken);
            _rows.Add(row);
            say(HostileReport.Line(row, bounds));
            await HealAsync(host, cancellationToken);
        }
        return new HostileReport(options, bounds, _rows);
    }

    private async Task<HostileRow> TryRowAsync(
        string name, IReadOnlyList<Attack> attacks, RunningAppHost host, SlowCalls slow, CancellationToken cancellationToken)
    {
        var only = attacks.Count == 1 ? attacks[0] : null;
        var what = only?.What ?? $"{options.Attackers} users, each with the next of {attacks.Count} attacks";
        var budget = only?.Budget ?? "all";
        try
        {
            await using var watch = SystemWatch.Start(host, TimeSpan.FromSeconds(bounds.Health), Curve);
            var row = await RowAsync(name, attacks, host, watch, slow, cancellationToken);
            return row with { What = what, Budget = budget };
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return HostileRow.Unmeasured(name, what, budget, e.Message);
        }
    }

    private async Task<HostileRow> RowAsync(
        string name, IReadOnlyList<Attack> attacks, RunningAppHost host, SystemWatch watch, SlowCalls slow, CancellationToken cancellationToken)
    {
        var gateway = watch.Gateway;
        // Names of their own, so that no attack is about what another has left.
        var hall = $"hall-{Guid.NewGuid().ToString("N")[..8]}";
        await using var bystanders = await Bystanders.EnterAsync(gateway, hall, cancellationToken);
        using var attacker = await AttackProcess.StartAsync(
            gateway, hall, attacks.Select(attack => attack.Name), options.Seconds, options.Attackers, cancellationToken);
        await Task.Delay(WarmUp, TimeProvider.System, cancellationToken);

        BeginMemory(watch);
        await slow.BeginAsync();
        watch.Begin();
        bystanders.Measure();
        Curve.Begin(name);
        var work = await attacker.AttackAsync(cancellationToken);
        Curve.Begin("");
        await bystanders.FinishAsync(cancellationToken);
        var cpu = watch.Processes.ToDictionary(process => process.Name, process => process.Cpu);
        var settled = await watch.SettleAsync(bounds.Left, TimeSpan.FromSeconds(bounds.Settle), cancellationToken);
        await HealAsync(host, cancellationToken);
        await bystanders.CheckHistoryAsync(cancellationToken);
        var slowest = await slow.SlowestAsync();

        return new HostileRow(
            name,
            "",
            "",
            work,
            Of(bystanders.Durations, Bystanders.Acknowledged),
            Of(bystanders.Durations, Bystanders.Delivered),
            Of(bystanders.Durations, Bystanders.Page),
            Counted(bystanders.Errors),
            Counted(watch.Processes.SelectMany(process => process.Failures.Select(failure => $"{process.Name}: {failure}"))),
            [.. watch.Processes.Select(process =>
                new ProcessCost(process.Name, process.Before, process.Grew, process.Left, cpu[process.Name]))],
            settled.TotalSeconds,
            slowest.Milliseconds,
            slowest.Call) {
                Memory = _limits is null ? [] : [.. watch.Processes.Select(process => _limits.Read(process.Name, process.Id))],
            };
    }

    /// <summary>Bystanders alone, so that the first attack is not charged with what every program needs once.</summary>
    private static async Task WarmUpAsync(RunningAppHost host, CancellationToken cancellationToken)
    {
        Uri gateway;
        await using (var watch = SystemWatch.Start(host, StartPatience))
        {
            gateway = watch.Gateway;
        }

        await using var bystanders = await Bystanders.EnterAsync(gateway, $"warm-{Guid.NewGuid().ToString("N")[..8]}", cancellationToken);
        await Task.Delay(5 * WarmUp, TimeProvider.System, cancellationToken);
    }

    /// <summary>Starts again what an attack has ended, so that the next one meets a whole system.</summary>
    private async Task HealAsync(RunningAppHost host, CancellationToken cancellationToken)
    {
        foreach (var instance in SystemWatch.Resources.SelectMany(host.Instances).Where(instance => host.ProcessOf(instance) is null))
        {
            say($"    {instance} has ended, and is started again");
            await host.StartAsync(instance, cancellationToken);
        }
    }

    /// <summary>Services put themselves under their limit when they start. Servers, which take little at their start, are put under it here.</summary>
    private void BeginMemory(SystemWatch watch)
    {
        foreach (var process in _limits is null ? [] : watch.Processes)
        {
            if (!_limits!.Has(process.Id))
            {
                _limits.Put(process.Id, Processes.WithChildren(process.Id));
            }

            _limits.Begin(process.Id);
        }
    }

    private void LimitMemory(IDistributedApplicationTestingBuilder builder)
    {
        foreach (var project in builder.Resources.OfType<ProjectResource>().Where(project => project.Name != "demo"))
        {
            builder.CreateResourceBuilder(project).WithEnvironment(context =>
            {
                foreach (var (name, value) in _limits!.Variables)
                {
                    context.EnvironmentVariables[name] = value;
                }
            });
        }
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(RunningAppHost host)
    {
        var configuration = ConfigurationOptions.Parse((await host.Application.GetConnectionStringAsync("redis"))!);
        configuration.AllowAdmin = true;
        return await ConnectionMultiplexer.ConnectAsync(configuration);
    }

    /// <summary>No sample at all is as bad as the worst one.</summary>
    private static Latency Of(Durations durations, string name) => new(
        durations.Percentile(name, 0.5) ?? double.MaxValue, durations.Percentile(name, 0.99) ?? double.MaxValue,
        durations.Percentile(name, 1) ?? double.MaxValue, durations.Count(name));

    private static Dictionary<string, int> Counted(IEnumerable<string> all) =>
        all.GroupBy(each => each).ToDictionary(same => same.Key, same => same.Count());
}
