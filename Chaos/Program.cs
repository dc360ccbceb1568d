using AspireChat.Chaos;
using AspireChat.Chaos.Fuzzing;
using AspireChat.Chaos.Hostile;
using AspireChat.Chaos.Planted;
using AspireChat.Chaos.Simulation;

ChaosOptions options;
try
{
    options = ChaosOptions.Parse(args);
    if (options.Command is "hostile" or "attack")
    {
        // An unknown name is told before anything is started.
        AttackList.Choose(options.Only);
    }
}
catch (FormatException e)
{
    Console.Error.WriteLine($"{e.Message}\n{ChaosOptions.Usage}");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, interrupt) =>
{
    interrupt.Cancel = true;
    stop.Cancel();
};

switch (options.Command)
{
    case "run" or "storm" or "flushall" or "outage":
        var report = await new ChaosRun(options, Console.WriteLine).RunAsync(stop.Token);
        Console.WriteLine(report);
        return report.Passed ? 0 : 1;
    case "simulate":
        return SeedExploration.Run(options, Console.WriteLine) ? 0 : 1;
    case "planted":
        return await PlantedRun.RunAsync(options, Console.WriteLine, stop.Token) ? 0 : 1;
    case "hostile":
        var attacks = new HostileRun(options, new HostileBounds { Settle = options.Settle }, Console.WriteLine);
        var hostile = await attacks.RunAsync(stop.Token);
        Console.WriteLine(hostile);
        if (options.Report.Length > 0)
        {
            await hostile.WriteAsync(options.Report, stop.Token);
            await File.WriteAllTextAsync(Path.ChangeExtension(options.Report, ".memory.csv"), attacks.Curve.ToCsv(), stop.Token);
            await File.WriteAllTextAsync(Path.ChangeExtension(options.Report, ".memory.svg"), attacks.Curve.ToSvg(), stop.Token);
        }

        return hostile.Passed ? 0 : 1;
    case "attack":
        return await AttackProcess.RunAsync(options, stop.Token);
    case "fuzz":
        return await new FuzzRun(options, Console.WriteLine).RunAsync(stop.Token) ? 0 : 1;
    default:
        Console.Error.WriteLine(ChaosOptions.Usage);
        return 2;
}
