using System.Diagnostics;
using System.Globalization;

namespace AspireChat.Chaos.Hostile;

/// <summary>
/// The attackers, in a process of their own with a lower priority: a real attacker takes none of the system's processors, nor the time of those
/// who measure. The process prints <c>ready</c>, attacks when it is told to on its standard input, and prints what it did.
/// </summary>
internal sealed class AttackProcess : IDisposable
{
    private const string Ready = "ready";
    private const string Done = "done ";

    /// <summary>For the preparation, and for the end of the attack behind its own time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly TimeSpan _duration;

    private AttackProcess(Process process, TimeSpan duration)
    {
        _process = process;
        _duration = duration;
    }

    /// <summary>Starts the process and returns when the attack is prepared.</summary>
    public static async Task<AttackProcess> StartAsync(
        Uri gateway, string hall, IEnumerable<string> attacks, double seconds, int attackers, CancellationToken cancellationToken)
    {
        var program = Path.Combine(AppContext.BaseDirectory, typeof(AttackProcess).Assembly.GetName().Name + ".dll");
        string[] arguments =
        [
            "-n", "5", "dotnet", program, "attack", "--gateway", gateway.ToString(), "--hall", hall, "--only", string.Join(',', attacks),
            "--seconds", seconds.ToString(CultureInfo.InvariantCulture), "--attackers", attackers.ToString(CultureInfo.InvariantCulture),
        ];
        var start = new ProcessStartInfo("nice", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var attack = new AttackProcess(Process.Start(start)!, TimeSpan.FromSeconds(seconds));
        try
        {
            await attack.ReadAsync(Ready, Patience, cancellationToken);
            return attack;
        }
        catch
        {
            attack.Dispose();
            throw;
        }
    }

    /// <summary>Attacks for the time that the process was started with, and returns how much the attackers did.</summary>
    public async Task<long> AttackAsync(CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync("go".AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        var done = await ReadAsync(Done, _duration + Patience, cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        return long.Parse(done.AsSpan(Done.Length), CultureInfo.InvariantCulture);
    }

    /// <summary>What the process itself does. The exit code of the program.</summary>
    public static async Task<int> RunAsync(ChaosOptions options, CancellationToken cancellationToken)
    {
        if (options.Gateway is not { } gateway || AttackList.Choose(options.Only) is not { Count: > 0 } attacks)
        {
            Console.Error.WriteLine(ChaosOptions.Usage);
            return 2;
        }
        var run = Guid.NewGuid().ToString("N")[..6];
        var attackers = Enumerable.Range(0, options.Attackers)
            .Select(i => (Attack: attacks[i % attacks.Count], Attacker: new Attacker(gateway, options.Hall, $"mallory{i}-{run}"))).ToList();
        await Task.WhenAll(attackers.Select(async each =>
        {
            // Also runs through the code once: a program that starts on a busy machine is slow, and the attack is short.
            using (await each.Attacker.ConnectAsync(cancellationToken))
            {
                await each.Attack.PrepareAsync(each.Attacker, cancellationToken);
            }
        }));

        Console.WriteLine(Ready);
        await Console.In.ReadLineAsync(cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(TimeSpan.FromSeconds(options.Seconds));
        await Task.WhenAll(attackers.Select(each => AttackAsync(each.Attack, each.Attacker, stop.Token)));
        Console.WriteLine(Done + attackers.Sum(each => each.Attacker.Work).ToString(CultureInfo.InvariantCulture));
        // Whatever is still open ends with the process.
        return 0;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private static async Task AttackAsync(Attack attack, Attacker attacker, CancellationToken stop)
    {
        try
        {
            await attack.RunAsync(attacker, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The time is up.
        }
    }

    private async Task<string> ReadAsync(string beginning, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limit);
        while (await _process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal))
            {
                return line;
            }
        }
        throw new InvalidOperationException("The attacker's process ended early.");
    }
}
