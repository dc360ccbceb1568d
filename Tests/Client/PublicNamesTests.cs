using System.Text.RegularExpressions;
using System.Xml.Linq;
using AspireChat.Client;

namespace AspireChat.Tests.Client;

/// <summary>What an application's developer meets in a list of types and in the comments of the client.</summary>
public sealed class PublicNamesTests
{
    [Fact]
    public void Every_public_type_says_by_its_name_alone_what_it_is_of()
    {
        // One word alone could be anybody's. The conversation is what this client is about.
        var vague = typeof(ChatClient).Assembly.GetExportedTypes()
            .Where(type => type != typeof(Conversation) && type.Name.TrimStart('I').Count(char.IsUpper) < 2);

        Assert.Equal([], vague);
    }

    [Fact]
    public void The_comments_refer_to_nothing_that_applications_cannot_see()
    {
        var client = typeof(ChatClient).Assembly;
        var visible = client.GetExportedTypes().Select(type => type.FullName!.Split('`')[0]).ToHashSet();
        var comments = XDocument.Load(Path.ChangeExtension(client.Location, ".xml")).Descendants("member")
            .Where(member => visible.Contains(TypeOf((string)member.Attribute("name")!))).ToList();
        Assert.True(comments.Count > 300, $"only {comments.Count} comments");

        var unseen = comments.SelectMany(member => member.Descendants().Select(element => (string?)element.Attribute("cref")).OfType<string>()
                .Where(reference => reference[2..].StartsWith("AspireChat.", StringComparison.Ordinal) && !visible.Contains(TypeOf(reference)))
                .Select(reference => $"{member.Attribute("name")!.Value} refers to {reference}"));

        Assert.Equal([], unseen);
    }

    /// <summary>The type of a member as comments name it: <c>M:Namespace.Type.Member(Parameters)</c>.</summary>
    private static string TypeOf(string reference)
    {
        var name = Regex.Replace(reference[2..].Split('(')[0], @"`\d+", "");
        return reference[0] == 'T' ? name : name[..name.LastIndexOf('.')];
    }
}
