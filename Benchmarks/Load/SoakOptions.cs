using System.Globalization;

namespace AspireChat.Benchmarks.Load;

/// <summary>The command line of <c>soak</c>.</summary>
/// <param name="Connections">A multiple of the rooms' size.</param>
/// <param name="Output">Where soak.md and soak.svg go; null: the table is printed, not kept.</param>
internal sealed record SoakOptions(double Minutes, int Connections, string? Output)
{
    public const string Usage = "soak [--minutes M] [--connections N] [--output DIRECTORY]";

    /// <exception cref="FormatException">An argument is unknown, or is no number. The message names it.</exception>
    public static SoakOptions Parse(string[] args)
    {
        var options = new SoakOptions(Minutes: 30, Connections: 10_000, Output: null);
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : throw new FormatException($"{args[i]} needs a value.");
            options = args[i] switch
            {
                "--minutes" => options with { Minutes = Number(args[i], value) },
                "--connections" => options with { Connections = RoundUp((int)Number(args[i], value)) },
                "--output" => options with { Output = Path.GetFullPath(value) },
                _ => throw new FormatException($"'{args[i]}' is no option."),
            };
        }
        return options;
    }

    private static int RoundUp(int connections) => (connections + SoakCommand.RoomSize - 1) / SoakCommand.RoomSize * SoakCommand.RoomSize;

    private static double Number(string option, string text) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new FormatException($"{option} needs a number above 0, not '{text}'.");
}
