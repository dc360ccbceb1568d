using AspireChat.Benchmarks.Load;

namespace AspireChat.Benchmarks.Presence;

/// <summary>
/// Presence under load in the whole system as the AppHost describes it. Clients connect to the nodes directly. All of it happens on the
/// calling thread, as in <see cref="LoadCommand"/>.
/// </summary>
internal static class PresenceCommand
{
    private const string Usage = "presence users [N [ROOMS]] | join [N] | kill [N]";

    public static int Run(string[] args)
    {
        Action<AspireChatSystem>? scenario = args switch
        {
            ["users", .. var rest] => system => new UsersScenario(system, Number(rest, 0, 5_000), Number(rest, 1, 500)).Run(),
            ["join", .. var rest] => system => new JoinScenario(system, Number(rest, 0, 2_000)).Run(),
            ["kill", .. var rest] => system => new KillScenario(system, Number(rest, 0, 1_000)).Run(),
            _ => null,
        };
        if (scenario is null)
        {
            Console.Error.WriteLine($"Usage: {Usage}");
            return 2;
        }
        using var system = AspireChatSystem.Start("AspireChat", new Dictionary<string, string>());
        Console.WriteLine(Machine.Describe());
        Console.WriteLine();
        scenario(system);
        return 0;
    }

    private static int Number(string[] args, int index, int otherwise) => args.Length > index ? int.Parse(args[index]) : otherwise;
}
