using System.Reflection;
using System.Text.RegularExpressions;
using AspireChat.Client;

namespace AspireChat.Tests.Documents;

/// <summary>docs/client-api.md names every public member of both clients, once, and says why where they differ.</summary>
public sealed class ClientApiPageTests
{
    private static readonly Type[] Compared =
        [typeof(IChatClient), typeof(IConversationView), typeof(ConversationSnapshot), typeof(ChatApi), typeof(ChatRooms), typeof(ChatException)];

    private static readonly string Types = Path.Combine(LinkTests.Root(), "web", "types");

    private sealed record Row(string CSharp, string JavaScript, string Why);

    [Fact]
    public void Every_public_member_of_the_csharp_client_is_in_the_table_once() =>
        Same(Compared.SelectMany(MembersOf).Append(nameof(ChatServerClient)), Rows().Select(row => row.CSharp));

    [Fact]
    public void Every_public_member_of_the_javascript_client_is_in_the_table_once() =>
        Same(JavaScript(), Rows().Select(row => row.JavaScript));

    [Fact]
    public void Where_the_names_differ_the_table_says_why()
    {
        var silent = Rows().Where(row => NameOf(row.CSharp) != NameOf(row.JavaScript) && row.Why.Length < 5);

        Assert.Equal([], silent);
    }

    private static IEnumerable<Row> Rows() => File.ReadLines(Path.Combine(LinkTests.Root(), "docs", "client-api.md"))
        .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| C#", StringComparison.Ordinal))
        .Select(line => line.Split('|'))
        .Select(cells => new Row(cells[1].Trim(' ', '`'), cells[2].Trim(' ', '`'), cells[3].Trim()));

    private static IEnumerable<string> MembersOf(Type type) => type
        .GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        .Concat(type.IsInterface ? type.GetInterfaces().SelectMany(one => one.GetMembers()) : [])
        .Where(member => member is PropertyInfo or MethodInfo { IsSpecialName: false } && !IsOfRecords(member))
        .Select(member => $"{type.Name}.{member.Name}").Distinct();

    /// <summary>What the compiler adds to records.</summary>
    private static bool IsOfRecords(MemberInfo member) =>
        member.Name is "Equals" or "GetHashCode" or "ToString" or "Deconstruct" || member.Name.Contains('$', StringComparison.Ordinal);

    /// <summary>The members of the classes that aspirechat.d.ts exports, with those of the classes that they extend.</summary>
    private static IEnumerable<string> JavaScript()
    {
        var exports = Regex.Matches(File.ReadAllText(Path.Combine(Types, "aspirechat.d.ts")), @"\b(ChatClient|Conversation|Presence|Rooms|ChatError)\b")
            .Select(match => match.Value).Distinct();
        var files = Directory.GetFiles(Path.Combine(Types, "lib")).Select(File.ReadAllText).ToList();
        return exports.SelectMany(name => MembersOf(name, files).Select(member => $"{name}.{member}")).Distinct();
    }

    private static IEnumerable<string> MembersOf(string name, List<string> files)
    {
        var declared = files
            .Select(text => Regex.Match(text, $@"^export class {name}\b.*?(?: extends (\w+))?(?:<.*?>)?(?:<\{{.*?^\}}>)? \{{\n(.*?)^\}}", RegexOptions.Multiline | RegexOptions.Singleline))
            .FirstOrDefault(match => match.Success);
        if (declared is null)
        {
            return [];
        }

        var body = Regex.Replace(declared.Groups[2].Value, @"/\*.*?\*/", "", RegexOptions.Singleline);
        var own = Regex.Matches(body, @"^ +(?:get )?([a-z]\w*)\??[(:<]", RegexOptions.Multiline)
            // Four spaces are a member; more are inside one.
            .Where(match => Regex.IsMatch(match.Value, "^ {1,5}[^ ]")).Select(match => match.Groups[1].Value).Where(member => member != "constructor");
        return declared.Groups[1].Success ? own.Concat(MembersOf(declared.Groups[1].Value, files)) : own;
    }

    private static string NameOf(string member)
    {
        var name = member.Split('.')[^1];
        return (name.EndsWith("Async", StringComparison.Ordinal) ? name[..^5] : name).ToUpperInvariant();
    }

    private static void Same(IEnumerable<string> members, IEnumerable<string> table) => Assert.Equal(
        members.Order(StringComparer.Ordinal), table.Where(name => name.Length > 0).Order(StringComparer.Ordinal));
}
