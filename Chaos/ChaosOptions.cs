using System.Globalization;

namespace AspireChat.Chaos;

/// <summary>What to run. Every random choice follows from <see cref="Seed"/>.</summary>
internal sealed record ChaosOptions
{
    public const string Usage = """
        dotnet run -c Release --project Chaos -- [COMMAND] [--seed N] [--clients N] [--rooms N] [--directs N] [--rate N] [--minutes M]
            run       [--faults N] [--events N] [--only KIND[:TARGET],…] [--storm N]   faults under traffic (the default)
                      [--webhooks 0|1|2]            1: with a webhook; 2: with one whose receiver misbehaves
            flushall  [--times N] [--seconds S]     FLUSHALL under traffic, N times, S seconds apart
            outage    [--seconds S]                 PostgreSQL is stopped for S seconds under traffic
            storm     [--storm N]                   N connections are lost at once and reconnect
            simulate  [--seeds N]                   the check against a simulated server in memory
            planted   [--only "no dedup"]           a copy of the sources with a bug: each bug must be caught
            hostile   [--only NAME,…] [--seconds S] [--attackers N] [--settle S] [--report FILE]
                      [--memory-limit MB]           users who attack the others; MB: of each process
            attack    --gateway URL --hall ROOM [--only NAME,…] [--seconds S] [--attackers N]      the attackers alone, after Enter
            fuzz      [--minutes M] [--seed N]      mutated bytes to the readers of frames, requests and answers
        KIND: kill pause pubsub delay cut halfopen slice wipe.  TARGET: connection gateway persistence presence redis postgres clients.
        """;

    public string Command { get; init; } = "run";

    public int Seed { get; init; }

    /// <summary>Faults to inject.</summary>
    public int Faults { get; init; } = 25;

    /// <summary>Acknowledged events to reach. The faults are spread over them, and the run ends when both are done.</summary>
    public int Events { get; init; } = 10_000;

    /// <summary>
    /// Only faults of these kinds, or of a kind on a target (<c>wipe,kill:connection</c>). For <c>planted</c> it is the beginning of a
    /// bug's name. Empty means all.
    /// </summary>
    public string Only { get; init; } = "";

    /// <summary>The gateway of a system that runs, for <c>attack</c>.</summary>
    public Uri? Gateway { get; init; }

    /// <summary>The room of the bystanders, for <c>attack</c>.</summary>
    public string Hall { get; init; } = "lobby";

    /// <summary>Users who attack at once.</summary>
    public int Attackers { get; init; } = 1;

    /// <summary>How many seconds after an attack its memory must have been given back.</summary>
    public double Settle { get; init; } = 60;

    /// <summary>Megabytes that each process of the system may have, by control groups; 0: no limit.</summary>
    public double MemoryLimit { get; init; }

    /// <summary>Where the rows of <c>hostile</c> are written: JSON when the name ends so, else Markdown; beside it the memory curve as CSV and SVG. Empty: nowhere.</summary>
    public string Report { get; init; } = "";

    /// <summary>A run gives up after this long. The default is generous, because a slow machine is no failure.</summary>
    public double Minutes { get; init; } = 60;

    /// <summary>
    /// The share of the usual rate that must get through while PostgreSQL is stopped. Less means that something waits for it.
    /// </summary>
    public double LeastShare { get; init; } = 0.5;

    /// <summary>How many seconds the system may take to become quiet after the traffic ends.</summary>
    public double Patience { get; init; } = 120;

    public int Clients { get; init; } = 16;

    public int Rooms { get; init; } = 4;

    /// <summary>Direct conversations of each client.</summary>
    public int Directs { get; init; } = 2;

    /// <summary>Wipes of the <c>flushall</c> command.</summary>
    public int Times { get; init; } = 3;

    /// <summary>Seconds between two wipes, without PostgreSQL, or of an attack. Default 60, of an attack 10.</summary>
    public double Seconds { get; init; } = 60;

    /// <summary>Events per second that all clients together try to send.</summary>
    public double Rate { get; init; } = 200;

    /// <summary>Connections of the reconnect storm at the end; 0 for none.</summary>
    public int Storm { get; init; }

    /// <summary>0: no webhook. 1: a receiver is told everything. 2: the receiver misbehaves.</summary>
    public int Webhooks { get; init; }

    /// <summary>Seeds of a simulation.</summary>
    public int Seeds { get; init; } = 3_000;

    /// <summary>The arguments that repeat this run.</summary>
    public string Replay => string.Create(
        CultureInfo.InvariantCulture,
        $"{Command} --seed {Seed} --clients {Clients} --rooms {Rooms} --directs {Directs} --rate {Rate}") + Command switch
        {
            "flushall" => string.Create(CultureInfo.InvariantCulture, $" --times {Times} --seconds {Seconds}"),
            "outage" => string.Create(CultureInfo.InvariantCulture, $" --seconds {Seconds}"),
            _ => string.Create(CultureInfo.InvariantCulture, $" --faults {Faults} --events {Events}")
                + (Only.Length > 0 ? " --only " + Only : "")
                + (Webhooks > 0 ? string.Create(CultureInfo.InvariantCulture, $" --webhooks {Webhooks}") : ""),
        };

    /// <exception cref="FormatException">An argument is unknown or has no number.</exception>
    public static ChaosOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new ChaosOptions { Seed = Random.Shared.Next(1, 1_000_000) };
        for (var i = 0; i < arguments.Count; i++)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
            {
                options = options with
                {
                    Command = arguments[i], Seconds = arguments[i] is "hostile" or "attack" ? 10 : options.Seconds,
                };
                continue;
            }
            if (i + 1 < arguments.Count && WithText(options, arguments[i], arguments[i + 1]) is { } named)
            {
                options = named;
                i++;
                continue;
            }
            if (i + 1 == arguments.Count || !double.TryParse(arguments[i + 1], CultureInfo.InvariantCulture, out var value) || value < 0)
            {
                throw new FormatException($"{arguments[i]} needs a number.");
            }

            options = arguments[i++] switch
            {
                "--seed" => options with { Seed = (int)value },
                "--faults" => options with { Faults = (int)value },
                "--events" => options with { Events = (int)value },
                "--minutes" => options with { Minutes = value },
                "--patience" => options with { Patience = value },
                "--clients" => options with { Clients = Math.Max(2, (int)value) },
                "--rooms" => options with { Rooms = Math.Max(1, (int)value) },
                "--directs" => options with { Directs = (int)value },
                "--times" => options with { Times = Math.Max(1, (int)value) },
                "--seconds" => options with { Seconds = value },
                "--rate" => options with { Rate = Math.Max(1, value) },
                "--attackers" => options with { Attackers = Math.Max(1, (int)value) },
                "--memory-limit" => options with { MemoryLimit = value },
                "--settle" => options with { Settle = value },
                "--webhooks" => options with { Webhooks = (int)value },
                "--storm" => options with { Storm = (int)value },
                "--seeds" => options with { Seeds = (int)value },
                var unknown => throw new FormatException($"{unknown} is unknown."),
            };
        }
        return options;
    }
    /// <summary>Null: the option is none that takes a text.</summary>
    private static ChaosOptions? WithText(ChaosOptions options, string name, string text) => name switch
    {
        "--only" => options with { Only = text },
        "--gateway" => Uri.TryCreate(text, UriKind.Absolute, out var gateway)
            ? options with { Gateway = gateway }
            : throw new FormatException("--gateway needs an address."),
        "--hall" => options with { Hall = text },
        "--report" => options with { Report = text },
        _ => null,
    };
}
