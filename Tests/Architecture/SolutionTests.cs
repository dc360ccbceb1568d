using AspireChat.Tests.Documents;

namespace AspireChat.Tests.Architecture;

/// <summary>What is not in the solution is not built by the tests, and rots.</summary>
public sealed class SolutionTests
{
    [Fact]
    public void Every_project_of_the_repository_is_in_the_solution()
    {
        var root = LinkTests.Root();
        var solution = File.ReadAllText(Path.Combine(root, "AspireChat.sln")).Replace('\\', '/');
        var projects = Directory.EnumerateFiles(root, "*.csproj", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 4 })
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Where(file => !file.StartsWith("artifacts/", StringComparison.Ordinal) && !file.Contains("node_modules/", StringComparison.Ordinal))
            .ToList();

        Assert.Contains("Tests/Tests.csproj", projects);
        Assert.DoesNotContain(projects, project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal));
    }
}
