using System.Reflection;
using System.Text.Json.Nodes;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>The promises that both client libraries make: <c>Golden/client-scenarios.json</c>.</summary>
public sealed class SharedScenarioTests
{
    [Fact]
    public void Each_promise_that_both_clients_make_has_a_test_here()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Golden", "client-scenarios.json");
        var scenarios = JsonNode.Parse(File.ReadAllText(path))!["scenarios"]!.AsArray();
        var tests = typeof(SharedScenarioTests).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(SharedScenarioTests).Namespace)
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance))
            .Where(method => method.GetCustomAttributes<FactAttribute>().Any())
            .Select(method => method.Name)
            .ToHashSet(StringComparer.Ordinal);

        Assert.True(scenarios.Count > 20);
        var missing = scenarios.Where(scenario => !tests.Contains((string)scenario!["csharp"]!));
        Assert.Empty(missing.Select(scenario => (string)scenario!["name"]!));
    }

    [Fact]
    public async Task A_leave_handed_to_a_socket_that_died_is_sent_again_until_the_server_confirms_it()
    {
        await using var server = await FaultServer.StartAsync();
        var leaves = 0;
        server.Script.OnFrame = (socket, frame) =>
        {
            if ((string)frame["type"]! != "leave" || ++leaves > 1)
            {
                return false;
            }

            socket.Cut();
            return true;
        };
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;

        await client.LeaveAsync("lobby").WaitAsync(FaultServer.Patience);

        Assert.NotNull(await (await server.NextSocketAsync()).ReceivedAsync("leave"));
        Assert.Equal(2, leaves);
    }
}
