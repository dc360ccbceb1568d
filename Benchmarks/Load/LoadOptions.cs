using System.Globalization;

namespace AspireChat.Benchmarks.Load;

/// <summary>A second AspireChat in the same run. It shows the effect of a setting, or of a change of the code.</summary>
/// <param name="Environment">Variables that it gets and the first does not.</param>
/// <param name="Build">The root of another checkout whose built programs run; null for this one's.</param>
internal sealed record Variant(string Name, IReadOnlyDictionary<string, string> Environment, string? Build);

/// <summary>The command line of <c>load</c>.</summary>
internal sealed class LoadOptions
{
    public const string Usage =
        "load [scenario…] [rest] [--rounds N] [--seconds S] [--warmup S] [--direct|--gateway] [--quick] [--no-peer] [--no-limits] " +
        "[--variant NAME:KEY=VALUE,…]… [--build NAME:CHECKOUT]… [--output DIRECTORY]";

    private const string RestName = "rest";

    public List<Scenario> Scenarios { get; } = [];

    /// <summary>Systems without traffic are measured too.</summary>
    public bool Rest { get; private set; }

    public List<Way> Ways { get; } = [];

    public List<Variant> Variants { get; } = [];

    public int Rounds { get; private set; } = 5;

    public TimeSpan Window { get; private set; } = TimeSpan.FromSeconds(6);

    public TimeSpan Warmup { get; private set; } = TimeSpan.FromSeconds(2);

    /// <summary>Time for a scenario that warms a fresh system up.</summary>
    public TimeSpan WarmUpEach { get; private set; } = TimeSpan.FromSeconds(9);

    public bool Peer { get; private set; } = true;

    /// <summary>The systems that promise nothing are measured too.</summary>
    public bool Limits { get; private set; } = true;

    public bool IsQuick { get; private set; }

    /// <summary>Where load.md, load.svg and load.csv go; null: the tables are printed, not kept.</summary>
    public string? Output { get; private set; }

    /// <summary>Rounds of systems at rest: a round takes three minutes and differs little from the next.</summary>
    public int RestRounds => Math.Min(Rounds, 3);

    /// <exception cref="FormatException">An argument is unknown, or is no number. The message names it.</exception>
    public static LoadOptions Parse(string[] args)
    {
        var options = new LoadOptions();
        for (var i = 0; i < args.Length; i++)
        {
            string Value() => ++i < args.Length ? args[i] : throw new FormatException($"{args[i - 1]} needs a value.");
            switch (args[i])
            {
                case "--rounds": options.Rounds = (int)Number("--rounds", Value()); break;
                case "--seconds": options.Window = TimeSpan.FromSeconds(Number("--seconds", Value())); break;
                case "--warmup": options.Warmup = TimeSpan.FromSeconds(Number("--warmup", Value())); break;
                case "--direct": options.Ways.Add(Way.Direct); break;
                case "--gateway": options.Ways.Add(Way.Gateway); break;
                case "--no-peer": options.Peer = false; break;
                case "--no-limits": options.Limits = false; break;
                case "--output": options.Output = Path.GetFullPath(Value()); break;
                case "--variant": options.Variants.Add(ParseVariant(Value())); break;
                case "--build": options.Variants.Add(ParseBuild(Value())); break;
                case "--quick": options.BeQuick(); break;
                case RestName: options.Rest = true; break;
                default: options.Scenarios.AddRange(Find(args[i])); break;
            }
        }
        if (options.Scenarios.Count == 0 && !options.Rest)
        {
            options.Scenarios.AddRange(Scenario.All.Where(scenario => !options.IsQuick || Scenario.Quick.Contains(scenario.Name)));
            options.Rest = true;
        }

        if (options.Ways.Count == 0)
        {
            options.Ways.AddRange([Way.Direct, Way.Gateway]);
        }

        return options;
    }

    private void BeQuick()
    {
        (IsQuick, Rounds) = (true, 1);
        (Window, Warmup, WarmUpEach) = (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
    }

    private static double Number(string option, string text) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new FormatException($"{option} needs a number above 0, not '{text}'.");

    private static IEnumerable<Scenario> Find(string name)
    {
        var found = Scenario.All.Where(scenario => scenario.Name == name).ToList();
        return found.Count > 0
            ? found
            : throw new FormatException(
                $"'{name}' is no scenario; there are {string.Join(", ", Scenario.All.Select(each => each.Name).Append(RestName))}.");
    }

    private static Variant ParseVariant(string text)
    {
        var parts = text.Split(':', 2);
        var variables = (parts.Length < 2 ? "" : parts[1]).Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(variable => variable.Split('=', 2)).ToList();
        return variables.All(pair => pair.Length == 2)
            ? new Variant(parts[0], variables.ToDictionary(pair => pair[0], pair => pair[1]), Build: null)
            : throw new FormatException($"--variant needs NAME:KEY=VALUE,…, not '{text}'.");
    }

    private static Variant ParseBuild(string text) => text.Split(':', 2) is [var name, { Length: > 0 } checkout]
        ? new Variant(name, new Dictionary<string, string>(), Path.GetFullPath(checkout))
        : throw new FormatException($"--build needs NAME:CHECKOUT, not '{text}'.");
}
