using System.Globalization;

namespace AspireChat.Chaos;

/// <summary>What to run. Everything that is left to chance follows from <see cref="Seed"/>.</summary>
internal sealed record ChaosOptions
{
    public const string Usage = """
        dotnet run -c Release --project Chaos -- [run] [--seed N] [--faults N] [--events N] [--minutes M]
            [--clients N] [--rooms N] [--rate N] [--storm N]
        dotnet run -c Release --project Chaos -- storm [--storm N]         only the reconnect storm
        dotnet run -c Release --project Chaos -- simulate [--seed N] [--seeds N]   the simulation in memory, without servers
        """;

    public string Command { get; init; } = "run";

    public int Seed { get; init; }

    /// <summary>Faults to inject.</summary>
    public int Faults { get; init; } = 25;

    /// <summary>Acknowledged events to reach; the run goes on after the last fault until then.</summary>
    public int Events { get; init; } = 10_000;

    /// <summary>The longest that faults and traffic may take.</summary>
    public double Minutes { get; init; } = 10;

    public int Clients { get; init; } = 16;

    public int Rooms { get; init; } = 4;

    /// <summary>Events per second that all clients together try to send.</summary>
    public double Rate { get; init; } = 200;

    /// <summary>Connections of the reconnect storm at the end; 0: none.</summary>
    public int Storm { get; init; }

    /// <summary>Seeds of a simulation.</summary>
    public int Seeds { get; init; } = 3_000;

    /// <exception cref="FormatException">An argument is not one of ours.</exception>
    public static ChaosOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new ChaosOptions { Seed = Random.Shared.Next(1, 1_000_000) };
        for (var i = 0; i < arguments.Count; i++)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
            {
                options = options with { Command = arguments[i] };
                continue;
            }
            if (i + 1 == arguments.Count || !double.TryParse(arguments[i + 1], CultureInfo.InvariantCulture, out var value) || value < 0)
                throw new FormatException($"{arguments[i]} needs a number.");
            options = arguments[i++] switch
            {
                "--seed" => options with { Seed = (int)value },
                "--faults" => options with { Faults = (int)value },
                "--events" => options with { Events = (int)value },
                "--minutes" => options with { Minutes = value },
                "--clients" => options with { Clients = Math.Max(2, (int)value) },
                "--rooms" => options with { Rooms = Math.Max(1, (int)value) },
                "--rate" => options with { Rate = Math.Max(1, value) },
                "--storm" => options with { Storm = (int)value },
                "--seeds" => options with { Seeds = (int)value },
                var unknown => throw new FormatException($"{unknown} is unknown."),
            };
        }
        return options;
    }
}
