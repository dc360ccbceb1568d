using System.Reflection;

namespace AspireChat.Tests.Architecture;

/// <summary>Which project and which folder may use which. The picture is in docs/architecture.md.</summary>
public sealed class DirectionTests
{
    /// <summary>A project, and the projects of this repository that it may use.</summary>
    private static readonly Dictionary<string, string[]> Projects = new(StringComparer.Ordinal)
    {
        ["Contracts"] = [],
        ["Servers"] = [],
        ["WebSockets"] = [],
        ["RedisLog"] = ["Contracts"],
        ["ServiceDefaults"] = ["Contracts"],
        ["Client"] = ["Contracts"],
        ["Gateway"] = ["Contracts", "ServiceDefaults", "WebSockets"],
        ["ConnectionService"] = ["Contracts", "RedisLog", "ServiceDefaults", "WebSockets"],
        ["PresenceService"] = ["Contracts", "RedisLog", "ServiceDefaults"],
        ["PersistenceService"] = ["Contracts", "RedisLog", "ServiceDefaults"],
    };

    private static readonly string[] RateLimiters = ["System.Threading.RateLimiting", "Microsoft.AspNetCore.RateLimiting"];

    /// <summary>Libraries that a project must not use, because another project is responsible for them.</summary>
    /// <remarks>The framework's rate limiters run ten times a second each, also at rest. TokenBuckets and TurnsByKey are there in their place.</remarks>
    private static readonly Dictionary<string, string[]> Foreign = new(StringComparer.Ordinal)
    {
        ["Contracts"] = ["Microsoft.AspNetCore", "Microsoft.Extensions", "Aspire.", "StackExchange.Redis", "Npgsql"],
        ["WebSockets"] = ["Aspire.", "StackExchange.Redis", "Npgsql"],
        ["RedisLog"] = ["Microsoft.AspNetCore", "Npgsql"],
        ["ServiceDefaults"] = ["StackExchange.Redis", "Npgsql", .. RateLimiters],
        ["Gateway"] = ["StackExchange.Redis", "Npgsql", .. RateLimiters],
        ["Client"] = ["Microsoft.AspNetCore", "Aspire.", "StackExchange.Redis", "Npgsql"],
        ["ConnectionService"] = [.. RateLimiters],
        ["PresenceService"] = [.. RateLimiters],
        ["PersistenceService"] = [.. RateLimiters],
    };

    /// <summary>
    /// The way of a message through a node, from left to right. A folder may use those on its right. Folders beside the way (tickets,
    /// kicks, messages by HTTP) are only checked for circles.
    /// </summary>
    private static readonly string[] NodeOrder = ["Connections", "Hubs", "Outbound", "History", "Log", "Subscriptions", "Presence"];

    public static TheoryData<string> All => [.. Projects.Keys];

    [Theory]
    [MemberData(nameof(All))]
    public void A_project_uses_only_the_projects_that_it_may(string project)
    {
        var used = Load(project).GetReferencedAssemblies().Select(reference => reference.Name!)
            .Where(name => name.StartsWith("AspireChat.", StringComparison.Ordinal)).Select(name => name["AspireChat.".Length..]);

        None(used.Except(Projects[project]).Select(other => $"{project} uses {other}"));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_project_uses_no_library_that_another_project_is_responsible_for(string project)
    {
        var foreign = Foreign.GetValueOrDefault(project, []);
        var used = Load(project).GetReferencedAssemblies().Select(reference => reference.Name!);

        None(used.Where(name => foreign.Any(library => name.StartsWith(library, StringComparison.Ordinal))).Select(name => $"{project} uses {name}"));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Folders_of_a_project_use_each_other_in_one_direction(string project) => None(FolderGraph.Of(Load(project)).Cycles());

    [Theory]
    [MemberData(nameof(All))]
    public void Folders_within_folders_use_each_other_in_one_direction(string project) =>
        None(FolderGraph.Of(Load(project), nested: true).Cycles());

    [Fact]
    public void The_way_of_a_message_through_a_node_has_one_direction()
    {
        var graph = FolderGraph.Of(Load("ConnectionService"));

        None(graph.Violations((from, to) => Array.IndexOf(NodeOrder, from) is var left and >= 0 && Array.IndexOf(NodeOrder, to) is var right and >= 0 && right < left));
    }

    [Fact]
    public void A_circle_of_folders_is_found_and_named()
    {
        var graph = new FolderGraph();
        graph.Add("Hubs", "Log", "Hub → Append");
        graph.Add("Log", "Subscriptions", "Append → Channel");
        graph.Add("Subscriptions", "Hubs", "Channel → Hub");
        graph.Add("Hubs", "Presence", "Hub → Reporter");

        Assert.Equal(["Hubs uses Log: Hub → Append", "Log uses Subscriptions: Append → Channel", "Subscriptions uses Hubs: Channel → Hub"], graph.Cycles());
    }

    [Fact]
    public void A_use_that_is_not_allowed_is_found_and_named()
    {
        var graph = new FolderGraph();
        graph.Add("Outbound", "Hubs", "Queue → Hub");

        Assert.Equal(["Outbound uses Hubs: Queue → Hub"], graph.Violations((from, _) => from == "Outbound"));
    }

    private static void None(IEnumerable<string> faults)
    {
        var all = string.Join('\n', faults);
        Assert.True(all.Length == 0, all);
    }

    private static Assembly Load(string project) => Assembly.Load($"AspireChat.{project}");
}
