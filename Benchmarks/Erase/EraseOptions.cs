using System.Globalization;

namespace AspireChat.Benchmarks.Erase;

/// <summary>The command line of <c>erase</c>.</summary>
/// <param name="Messages">Of all users, before the chat begins.</param>
/// <param name="Own">Of the user who is erased.</param>
/// <param name="Rate">Messages a second of the chat, in all rooms together.</param>
/// <param name="Window">Seconds of chat before the erasure and, at least, after it.</param>
/// <param name="Report">The file of the report; null: it is printed only.</param>
internal sealed record EraseOptions(int Messages, int Own, int Rooms, int RoomSize, int Rate, double Window, string? Report)
{
    public const string Usage =
        "erase [--messages N] [--own N] [--rooms N] [--room-size N] [--rate MESSAGES/S] [--window SECONDS] [--report FILE]";

    /// <exception cref="FormatException">An argument is unknown, or is no number. The message names it.</exception>
    public static EraseOptions Parse(string[] args)
    {
        var options = new EraseOptions(Messages: 1_000_000, Own: 100_000, Rooms: 20, RoomSize: 10, Rate: 200, Window: 60, Report: null);
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : throw new FormatException($"{args[i]} needs a value.");
            options = args[i] switch
            {
                "--messages" => options with { Messages = (int)Number(args[i], value) },
                "--own" => options with { Own = (int)Number(args[i], value) },
                "--rooms" => options with { Rooms = (int)Number(args[i], value) },
                "--room-size" => options with { RoomSize = (int)Number(args[i], value) },
                "--rate" => options with { Rate = (int)Number(args[i], value) },
                "--window" => options with { Window = Number(args[i], value) },
                "--report" => options with { Report = Path.GetFullPath(value) },
                _ => throw new FormatException($"'{args[i]}' is no option."),
            };
        }

        return options.Own <= options.Messages ? options : throw new FormatException("--own must not be more than --messages.");
    }

    private static double Number(string option, string text) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new FormatException($"{option} needs a number above 0, not '{text}'.");
}
