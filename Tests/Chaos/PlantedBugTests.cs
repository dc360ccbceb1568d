using AspireChat.Chaos.Planted;

namespace AspireChat.Tests.Chaos;

/// <summary>
/// The bugs that <c>Chaos -- planted</c> builds into the whole system, which takes minutes; here it is only seen to that each still has
/// its place in the sources.
/// </summary>
public sealed class PlantedBugTests
{
    public static TheoryData<string> Files => [.. SourceBug.All.Select(bug => bug.File)];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_bug_that_is_to_be_planted_still_has_its_place(string file)
    {
        var bug = SourceBug.All.Single(bug => bug.File == file);
        var source = await File.ReadAllTextAsync(Path.Combine(SourceCopy.FindSources(), file));

        Assert.NotEqual(source, bug.Plant(source));
    }
}
