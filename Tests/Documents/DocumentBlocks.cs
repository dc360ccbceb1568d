using System.Text.RegularExpressions;

namespace AspireChat.Tests.Documents;

/// <summary>A fenced block of a document.</summary>
/// <param name="Section">The heading above it.</param>
/// <param name="Language">What stands behind the opening fence; empty for commands and settings.</param>
/// <param name="Prose">The line of text above it.</param>
internal sealed record DocumentBlock(string Section, string Language, string Prose, string Text)
{
    /// <summary>The file that the reader puts it into, and the command that runs it: "Put this into `a.js`, and `node a.js`:".</summary>
    public (string File, string Command) Use()
    {
        var use = Regex.Match(Prose, "^Put this into `([^`]+)`, and `([^`]+)`:$");
        Assert.True(use.Success, $"The line above the block does not say where it goes: {Prose}");
        return (use.Groups[1].Value, use.Groups[2].Value);
    }

    /// <summary>The commands, without their comments.</summary>
    public IReadOnlyList<string> Commands() =>
        [.. Text.Split('\n').Select(line => line.Split(" #")[0].Trim()).Where(line => line.Length > 0)];
}

/// <summary>The blocks of a document as a reader copies them.</summary>
internal static class DocumentBlocks
{
    /// <param name="path">From the repository's root.</param>
    /// <param name="section">The heading of the section.</param>
    public static IReadOnlyList<DocumentBlock> Of(string path, string section)
    {
        var (blocks, heading, prose) = (new List<DocumentBlock>(), "", "");
        List<string>? text = null;
        var language = "";
        foreach (var line in File.ReadLines(Path.Combine(LinkTests.Root(), path)))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                if (text is not null)
                {
                    blocks.Add(new(heading, language, prose, string.Join('\n', text) + '\n'));
                }

                (text, language) = text is null ? (new List<string>(), line[3..]) : (null, "");
            }
            else if (text is not null)
            {
                text.Add(line);
            }
            else if (line.StartsWith('#'))
            {
                heading = line.TrimStart('#', ' ');
            }
            else if (line.Length > 0)
            {
                prose = line;
            }
        }

        return [.. blocks.Where(block => block.Section == section)];
    }
}
