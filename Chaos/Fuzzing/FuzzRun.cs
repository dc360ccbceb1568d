using System.Globalization;
using AspireChat.Chaos.Hostile;
using AspireChat.Chaos.Stack;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace AspireChat.Chaos.Fuzzing;

/// <summary>
/// The long form: all targets side by side until the time is up, seed after seed, the wire against a whole system. It ends with the first input
/// that breaks a promise.
/// </summary>
internal sealed class FuzzRun(ChaosOptions options, Action<string> say)
{
    private const int InputsPerSeed = 500;

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan HealthTimeout = TimeSpan.FromSeconds(10);

    /// <summary>One user sends everything here, and is not to be slowed down.</summary>
    private static readonly Dictionary<string, string> Settings = new()
    {
        ["Gateway__RateLimits__Enabled"] = "false",
        ["Budgets__ConnectsPerSecond"] = "100000",
        ["Budgets__ConnectBurst"] = "100000",
        ["Sockets__ConnectionsPerUser"] = "10000",
    };

    private readonly Dictionary<string, long> _tried = [];
    private readonly Lock _gate = new();

    /// <returns>True: every promise held.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartPatience);
        await using var host = await RunningAppHost.StartAsync(["Servers=processes"], Change, patience.Token);
        await using var watch = SystemWatch.Start(host, HealthTimeout);
        var gateway = watch.Gateway;
        using var attacker = new Attacker(gateway, "lobby", "fuzz");
        var token = await attacker.TokenAsync("fuzz", patience.Token);
        var wire = new WireFuzz(gateway, token);
        FuzzTarget[] targets = [new FrameReaderFuzz(), new ClientFrameFuzz(), wire];

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(TimeSpan.FromMinutes(options.Minutes));
        say($"fuzz --seed {options.Seed.ToString(CultureInfo.InvariantCulture)} --minutes {options.Minutes.ToString(CultureInfo.InvariantCulture)}");
        var progress = ProgressAsync(end.Token);
        var results = await Task.WhenAll(targets.Select(target => Task.Run(() => RunAsync(target, end), cancellationToken)));
        await end.CancelAsync();
        await progress;
        var sick = watch.Processes.SelectMany(process => process.Failures.Select(failure => $"health of {process.Name}: {failure}")).ToList();
        sick.ForEach(say);
        var passed = results.All(result => result) && sick.Count == 0;
        say($"{Counts()} · {wire.Unavailable.ToString(CultureInfo.InvariantCulture)} answers of 503. {(passed ? "PASS" : "FAIL")}");
        return passed;
    }

    private async Task<bool> RunAsync(FuzzTarget target, CancellationTokenSource end)
    {
        try
        {
            for (var seed = options.Seed; !end.IsCancellationRequested; seed++)
            {
                await target.RunAsync(seed, InputsPerSeed, end.Token);
                lock (_gate)
                {
                    _tried[target.Name] = _tried.GetValueOrDefault(target.Name) + InputsPerSeed;
                }
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The time is up, or another target has failed.
        }
        catch (FuzzException e)
        {
            say(e.Message);
            await end.CancelAsync();
            return false;
        }
        return true;
    }

    private async Task ProgressAsync(CancellationToken end)
    {
        try
        {
            while (true)
            {
                await Task.Delay(ProgressEvery, TimeProvider.System, end);
                say(Counts());
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The time is up.
        }
    }

    private string Counts()
    {
        lock (_gate)
        {
            return string.Join(" · ", _tried.Select(target => $"{target.Value.ToString(CultureInfo.InvariantCulture)} {target.Key}"));
        }
    }

    private static void Change(IDistributedApplicationTestingBuilder builder)
    {
        foreach (var project in builder.Resources.OfType<ProjectResource>().Where(project => project.Name != "demo"))
        {
            builder.CreateResourceBuilder(project).WithEnvironment(context =>
            {
                foreach (var (name, value) in Settings)
                {
                    context.EnvironmentVariables[name] = value;
                }
            });
        }
    }
}
