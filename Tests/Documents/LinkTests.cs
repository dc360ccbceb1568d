using System.Text.RegularExpressions;

namespace AspireChat.Tests.Documents;

/// <summary>The documents lead to files and headings that exist.</summary>
public sealed partial class LinkTests
{
    [Fact]
    public void Every_link_of_a_document_to_a_file_of_the_repository_leads_there()
    {
        var root = Root();
        var broken = Documents(root).SelectMany(document => Link().Matches(File.ReadAllText(document))
            .Select(link => link.Groups["file"].Value)
            .Where(target => target.Length > 0 && !target.Contains(':', StringComparison.Ordinal))
            .Where(target => !Path.Exists(Path.Combine(Path.GetDirectoryName(document)!, target)))
            .Select(target => $"{Path.GetRelativePath(root, document)}: {target}"));

        Assert.Equal("", string.Join('\n', broken));
    }

    [Fact]
    public void Every_link_of_a_document_to_a_heading_leads_there()
    {
        var root = Root();
        var broken = Documents(root).SelectMany(document => Link().Matches(File.ReadAllText(document))
            .Where(link => link.Groups["heading"].Success)
            .Select(link => (File: Target(document, link.Groups["file"].Value), Heading: link.Groups["heading"].Value))
            .Where(target => target.File.EndsWith(".md", StringComparison.Ordinal) && File.Exists(target.File))
            .Where(target => !Heading().Matches(File.ReadAllText(target.File)).Select(heading => Anchor(heading.Groups[1].Value)).Contains(target.Heading))
            .Select(target => $"{Path.GetRelativePath(root, document)}: {Path.GetRelativePath(root, target.File)}#{target.Heading}"));

        Assert.Equal("", string.Join('\n', broken));
    }

    internal static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "AspireChat.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        }
        return folder.FullName;
    }

    private static IEnumerable<string> Documents(string root) =>
        new[] { "docs", "deploy", "WebSockets", "Client", "web", "samples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.md", SearchOption.AllDirectories))
            .Where(file => !file.Contains("node_modules", StringComparison.Ordinal))
            .Concat(Directory.EnumerateFiles(root, "*.md"));

    private static string Target(string document, string file) =>
        file.Length == 0 ? document : Path.Combine(Path.GetDirectoryName(document)!, file);

    /// <summary>What a heading is called in an address: its words in lower case, with hyphens.</summary>
    private static string Anchor(string heading) =>
        NoWord().Replace(LinkText().Replace(heading, "$1").Trim(), "").Replace(' ', '-').ToLowerInvariant();

    [GeneratedRegex(@"\]\((?<file>[^)#\s]*)(?:#(?<heading>[^)]*))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex LinkText();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoWord();
}
