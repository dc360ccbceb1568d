using System.Globalization;

namespace AspireChat.Benchmarks.Removal;

/// <summary>The command line of <c>removal</c>.</summary>
/// <param name="Members">Who are connected besides the one who is removed, half of them on each node.</param>
/// <param name="Rate">Messages a second in the room.</param>
/// <param name="Each">Seconds from one try to the next. Tries overlap: each is watched for <see cref="RemovalTry.Watched"/>.</param>
/// <param name="WithoutPubSub">Pub/sub of the node where the removed are connected does not arrive.</param>
/// <param name="IsPublic">The room is public; a private one is the default.</param>
/// <param name="Report">The file of the report; null: it is printed only.</param>
internal sealed record RemovalOptions(int Tries, int Members, int Rate, double Each, bool WithoutPubSub, bool IsPublic, string? Report)
{
    public const string Usage =
        "removal [--tries N] [--members N] [--rate MESSAGES/S] [--each SECONDS] [--without-pubsub] [--public] [--report FILE]";

    /// <exception cref="FormatException">An argument is unknown, or is no number. The message names it.</exception>
    public static RemovalOptions Parse(string[] args)
    {
        var options = new RemovalOptions(Tries: 1_000, Members: 200, Rate: 20, Each: 0.4, WithoutPubSub: false, IsPublic: false, Report: null);
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] is "--without-pubsub" or "--public")
            {
                options = args[i] == "--public" ? options with { IsPublic = true } : options with { WithoutPubSub = true };
                continue;
            }

            var (name, value) = (args[i], ++i < args.Length ? args[i] : throw new FormatException($"{args[^1]} needs a value."));
            options = name switch
            {
                "--tries" => options with { Tries = (int)Number(name, value) },
                "--members" => options with { Members = (int)Number(name, value) },
                "--rate" => options with { Rate = (int)Number(name, value) },
                "--each" => options with { Each = Number(name, value) },
                "--report" => options with { Report = Path.GetFullPath(value) },
                _ => throw new FormatException($"'{name}' is no option."),
            };
        }

        return options;
    }

    private static double Number(string option, string text) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new FormatException($"{option} needs a number above 0, not '{text}'.");
}
