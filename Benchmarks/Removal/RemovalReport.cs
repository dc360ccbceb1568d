using System.Globalization;
using System.Text;

namespace AspireChat.Benchmarks.Removal;

/// <summary>The report of <c>removal</c>, as Markdown.</summary>
internal static class RemovalReport
{
    /// <summary>Goals of p99 to the last event: with pub/sub, and without.</summary>
    private const double Goal = 500, GoalWithoutPubSub = 1_000;

    /// <summary>Nobody got an event more than a second after the answer or after <c>left</c>, all were told, and p99 is within the goal.</summary>
    public static bool HasPassed(RemovalOptions options, IReadOnlyCollection<RemovalTimes> tries) =>
        tries.Count > 0
        && tries.All(each => each is { Late: 0, Behind: 0, EndFromAnswer: not null })
        && Machine.Quantile(tries.Select(each => each.LastFromAnswer), 0.99) < (options.WithoutPubSub ? GoalWithoutPubSub : Goal);

    public static string Of(RemovalOptions options, IReadOnlyCollection<RemovalTimes> tries, long silenced, double deliveredPerSecond)
    {
        var text = new StringBuilder("# Removal under load\n\n")
            .Append(Invariant($"`removal`: {tries.Count:N0} tries, in turn a removal, a ban and a revocation of tokens, "))
            .Append(Invariant($"in a {(options.IsPublic ? "public" : "private")} room with {options.Members:N0} members connected "))
            .Append(Invariant($"and {options.Rate:N0} messages a second ({deliveredPerSecond:N0} deliveries a second).\n"))
            .Append("Each call goes to one node, and who is removed is connected to the other one. ")
            .Append(options.WithoutPubSub
                ? Invariant($"Pub/sub of that node did not arrive: {silenced:N0} messages were taken out of what Redis sent to it.\n\n")
                : "Pub/sub worked.\n\n")
            .Append(Machine.Describe()).Append("\n\n")
            .Append("| what | measured | tries | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|---|\n");
        foreach (var (name, part) in Parts(tries))
        {
            AppendRow(text, name, "call to last event", part.Select(each => each.LastFromCall));
            AppendRow(text, name, "answer to last event", part.Select(each => each.LastFromAnswer));
            AppendRow(text, name, "call to end", part.Select(each => each.EndFromCall).OfType<double>());
            AppendRow(text, name, "answer to end", part.Select(each => each.EndFromAnswer).OfType<double>());
        }

        return text
            .Append("\nThe end is `left`, or the close of the connection where tokens were revoked. What came before the answer counts as 0.\n\n")
            .Append("| events more than 1 s after the answer | events after the end | tries without an end |\n|---|---|---|\n")
            .Append(Invariant($"| {tries.Sum(each => each.Late):N0} | {tries.Sum(each => each.Behind):N0} "))
            .Append(Invariant($"| {tries.Count(each => each.EndFromAnswer is null):N0} |\n"))
            .Append(HasPassed(options, tries) ? "\nWithin the goal.\n" : "\n**Not within the goal.**\n")
            .ToString();
    }

    private static IEnumerable<(string Name, IReadOnlyList<RemovalTimes> Tries)> Parts(IReadOnlyCollection<RemovalTimes> tries) =>
        [("all", [.. tries]), .. tries.GroupBy(each => each.Kind).OrderBy(part => part.Key)
            .Select(part => (part.Key.ToString().ToLowerInvariant(), (IReadOnlyList<RemovalTimes>)[.. part]))];

    private static void AppendRow(StringBuilder text, string name, string measured, IEnumerable<double> values)
    {
        var all = values.ToList();
        text.Append(all.Count == 0
            ? $"| {name} | {measured} | 0 | | | |\n"
            : Invariant($"| {name} | {measured} | {all.Count:N0} | {Machine.Median(all):N1} | {Machine.Quantile(all, 0.99):N1} | {all.Max():N1} |\n"));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
