using System.Globalization;
using System.Text.RegularExpressions;

namespace AspireChat.Tests.Documents;

/// <summary>What is said about speed is what the committed result of the benchmark says of its worst row.</summary>
public sealed partial class PerformanceClaimTests
{
    private static readonly string Root = LinkTests.Root();
    private static readonly string Result = File.ReadAllText(Path.Combine(Root, "Benchmarks", "results", "load.md"));

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/performance.md")]
    public void A_document_makes_the_claim_of_the_result_and_no_other(string document)
    {
        var text = Space().Replace(File.ReadAllText(Path.Combine(Root, document)), " ");

        Assert.Contains(Claim().Match(Result).Groups[1].Value.Trim(), text, StringComparison.Ordinal);
        Assert.Single(WorstRow().Matches(text));
    }

    [Fact]
    public void The_claim_is_the_worst_and_the_best_ratio_of_the_table()
    {
        var ratios = Result.Split('\n').Where(line => line.Contains("| AspireChat |", StringComparison.Ordinal))
            .Select(line => Ratio().Match(line)).Where(ratio => ratio.Success)
            .Select(ratio => double.Parse(ratio.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
        var claim = WorstRow().Match(Result);

        // Four kinds of traffic have goals, on each of two ways.
        Assert.True(ratios.Count >= 8, $"The result has {ratios.Count} ratios: rows are missing.");
        Assert.Equal(ratios.Min(), double.Parse(claim.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.Equal(ratios.Max(), double.Parse(claim.Groups[2].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("^> (.+)$", RegexOptions.Multiline)]
    private static partial Regex Claim();

    [GeneratedRegex(@"(\d+\.\d)× \(worst row\) to (\d+\.\d)× \(best row\)")]
    private static partial Regex WorstRow();

    [GeneratedRegex(@"\*\*(\d+\.\d)×\*\*")]
    private static partial Regex Ratio();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
