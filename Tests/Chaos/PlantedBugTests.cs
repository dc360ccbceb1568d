using AspireChat.Chaos.Planted;

namespace AspireChat.Tests.Chaos;

/// <summary>
/// The bugs that <c>Chaos -- planted</c> builds into the whole system, which takes minutes. Here each bug is only checked to fit the
/// sources.
/// </summary>
public sealed class PlantedBugTests
{
    public static TheoryData<string> Files => [.. SourceBug.All.Select(bug => bug.File)];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Each_bug_to_plant_still_fits_the_sources(string file)
    {
        var bug = SourceBug.All.Single(bug => bug.File == file);
        var source = await File.ReadAllTextAsync(Path.Combine(SourceCopy.FindSources(), file));

        Assert.NotEqual(source, bug.Plant(source));
    }
}
