using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AspireChat.Client;

namespace AspireChat.Tests.Client.Api;

/// <summary>The calls that the C# clients make are the calls that docs/openapi.v1.json documents.</summary>
public sealed class ApiCoverageTests
{
    private static readonly string[] Verbs = ["get", "put", "post", "patch", "delete"];

    /// <summary>Not for these clients: sockets ask for their tickets themselves.</summary>
    private static readonly string[] OfSockets = ["POST /api/socket-tickets"];

    [Fact]
    public async Task Every_call_that_is_documented_has_a_method_and_no_method_calls_anything_else()
    {
        await using var clients = await ServerClients.StartAsync();

        await CallAllAsync(clients.Client);
        await CallAllAsync(clients.User);

        var documented = Documented().ToList();
        var made = clients.Api.Calls.Select(call => $"{call.Method} {call.Path.Split('?')[0]}").Distinct().ToList();
        Assert.Equal([], documented.Where(one => !made.Any(call => IsOf(call, one))));
        Assert.Equal([], made.Where(call => !documented.Any(one => IsOf(call, one))));
    }

    private static IEnumerable<string> Documented()
    {
        var document = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Documents", "openapi.v1.json")))!;
        return document["paths"]!.AsObject()
            .Where(path => path.Key.StartsWith("/api/", StringComparison.Ordinal))
            .SelectMany(path => path.Value!.AsObject().Where(verb => Verbs.Contains(verb.Key))
                .Select(verb => $"{verb.Key.ToUpperInvariant()} {path.Key}"))
            .Except(OfSockets);
    }

    private static bool IsOf(string call, string documented) =>
        Regex.IsMatch(call, $"^{Regex.Replace(Regex.Escape(documented), @"\\\{[a-z]+}", "[^/]+")}$")
        // A name in the path is no parameter: /api/rooms/{room} is not /api/rooms/{room}/bans.
        && call.Count(c => c == '/') == documented.Count(c => c == '/');

    /// <summary>Calls each public method of the client and of what hangs on it, with arguments made from their names and types.</summary>
    private static async Task CallAllAsync(object client)
    {
        foreach (var group in client.GetType().GetProperties().Select(property => property.GetValue(client)!).Append(client))
        {
            var methods = group.GetType().GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Where(method => !method.IsSpecialName);
            foreach (var method in methods)
            {
                await ReadAsync(method.Invoke(group, [.. method.GetParameters().Select(ArgumentOf)])!);
            }
        }
        // Rooms and direct conversations have a history each.
        if (client is ChatApi api)
        {
            await api.HistoryAsync(Conversation.With("bob"));
        }
    }

    private static async Task ReadAsync(object answer)
    {
        switch (answer)
        {
            case Task task:
                await task;
                break;
            case IAsyncEnumerable<object> items:
                await foreach (var _ in items)
                {
                }

                break;
            default:
                Assert.Fail($"{answer} is no answer of a call");
                break;
        }
    }

    private static object? ArgumentOf(ParameterInfo parameter) =>
        parameter.ParameterType == typeof(string) && !parameter.HasDefaultValue ? parameter.Name switch { "room" => "tea", "user" => "bob", _ => "x" }
        : parameter.ParameterType == typeof(Conversation) ? Conversation.Room("tea")
        : parameter.ParameterType == typeof(RoomRole) ? RoomRole.Moderator
        : parameter.ParameterType == typeof(RoomSettings) ? new RoomSettings { Name = "x" }
        : parameter.ParameterType == typeof(long) ? 1L
        : parameter.ParameterType == typeof(IEnumerable<string>) ? new[] { "bob" }
        : parameter.ParameterType == typeof(CancellationToken) ? CancellationToken.None
        : null;
}
