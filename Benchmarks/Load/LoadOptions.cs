using System.Globalization;

namespace AspireChat.Benchmarks.Load;

/// <summary>A second AspireChat in the same run that differs only in environment variables. It shows the effect of a setting.</summary>
internal sealed record Variant(string Name, IReadOnlyDictionary<string, string> Environment);

/// <summary>The command line of <c>load</c>.</summary>
internal sealed class LoadOptions
{
    public const string Usage =
        "load [scenario…] [--rounds N] [--seconds S] [--warmup S] [--direct|--gateway] [--quick] [--no-peer] " +
        "[--variant NAME:KEY=VALUE,…]… [--output DIRECTORY]";

    public List<Scenario> Scenarios { get; } = [];

    public List<Way> Ways { get; } = [];

    public List<Variant> Variants { get; } = [];

    public int Rounds { get; private set; } = 5;

    public TimeSpan Window { get; private set; } = TimeSpan.FromSeconds(6);

    public TimeSpan Warmup { get; private set; } = TimeSpan.FromSeconds(2);

    public bool Peer { get; private set; } = true;

    /// <summary>Where load.md and load.svg go; null: they are printed, not kept.</summary>
    public string? Output { get; private set; }

    /// <exception cref="FormatException">An argument is unknown. The message names it.</exception>
    public static LoadOptions Parse(string[] args)
    {
        var options = new LoadOptions();
        for (var i = 0; i < args.Length; i++)
        {
            string Value() => ++i < args.Length ? args[i] : throw new FormatException($"{args[i - 1]} needs a value.");
            switch (args[i])
            {
                case "--rounds": options.Rounds = int.Parse(Value(), CultureInfo.InvariantCulture); break;
                case "--seconds": options.Window = TimeSpan.FromSeconds(double.Parse(Value(), CultureInfo.InvariantCulture)); break;
                case "--warmup": options.Warmup = TimeSpan.FromSeconds(double.Parse(Value(), CultureInfo.InvariantCulture)); break;
                case "--direct": options.Ways.Add(Way.Direct); break;
                case "--gateway": options.Ways.Add(Way.Gateway); break;
                case "--no-peer": options.Peer = false; break;
                case "--output": options.Output = Path.GetFullPath(Value()); break;
                case "--variant": options.Variants.Add(ParseVariant(Value())); break;
                case "--quick": options.BeQuick(); break;
                default: options.Scenarios.AddRange(Find(args[i])); break;
            }
        }
        if (options.Scenarios.Count == 0)
        {
            options.Scenarios.AddRange(Scenario.All);
        }

        if (options.Ways.Count == 0)
        {
            options.Ways.AddRange([Way.Direct, Way.Gateway]);
        }

        return options;
    }

    private void BeQuick()
    {
        (Rounds, Window, Warmup) = (1, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(2));
        Scenarios.AddRange(Scenario.All.Where(scenario => Scenario.Quick.Contains(scenario.Name)));
    }

    private static IEnumerable<Scenario> Find(string name)
    {
        var found = Scenario.All.Where(scenario => scenario.Name.StartsWith(name, StringComparison.Ordinal)).ToList();
        return found.Count > 0
            ? found
            : throw new FormatException($"'{name}' is no scenario; there are {string.Join(", ", Scenario.All.Select(each => each.Name))}.");
    }

    private static Variant ParseVariant(string text)
    {
        var parts = text.Split(':', 2);
        var variables = parts.Length < 2 ? [] : parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries);
        return new Variant(parts[0], variables.Select(variable => variable.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]));
    }
}
