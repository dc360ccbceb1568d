using System.Text.Json;
using System.Text.RegularExpressions;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Documents;

/// <summary>docs/limits.md prices everything that a client can ask for.</summary>
public sealed partial class LimitsPageTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Documents");
    private static readonly string[] Rows = [.. File.ReadLines(Path.Combine(Folder, "limits.md")).Where(line => line.StartsWith('|'))];

    public static TheoryData<string> Frames => [.. Enum.GetValues<ClientFrameType>().Select(type => JsonNamingPolicy.SnakeCaseLower.ConvertName(type.ToString()))];

    public static TheoryData<string> Calls => [.. CallsOfTheGateway()];

    [Theory]
    [MemberData(nameof(Frames))]
    public void Every_frame_of_a_client_has_a_price(string type) =>
        Assert.Single(Rows, row => row.StartsWith($"| `{type}` |", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Calls))]
    public void Every_call_of_the_gateway_has_a_price(string call) =>
        Assert.Single(Rows, row => row.Split('|')[1].Contains($"`{call}`", StringComparison.Ordinal));

    [Fact]
    public void Every_test_that_the_page_names_exists()
    {
        var tests = typeof(LimitsPageTests).Assembly.GetTypes().Select(type => type.Name).ToHashSet(StringComparer.Ordinal);
        var named = Rows.Select(row => row.Split('|')).Where(cells => cells.Length == 8).SelectMany(cells => Test().Matches(cells[6])).Select(name => name.Value);
        Assert.DoesNotContain(named, name => !tests.Contains(name));
    }

    private static IEnumerable<string> CallsOfTheGateway()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "openapi.v1.json")));
        foreach (var path in document.RootElement.GetProperty("paths").EnumerateObject())
        {
            foreach (var method in path.Value.EnumerateObject().Where(method => method.Name is not "parameters"))
            {
                yield return $"{method.Name.ToUpperInvariant()} {path.Name}";
            }
        }
    }

    [GeneratedRegex(@"\w+Tests\b")]
    private static partial Regex Test();
}
