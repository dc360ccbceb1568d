using System.Reflection;
using System.Text.Json.Nodes;
using AspireChat.Client;
using AspireChat.Contracts.Frames;
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

    [Fact]
    public async Task A_leave_that_is_refused_for_good_is_told_and_the_room_stays_alive()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnFrame = (socket, frame) =>
        {
            if ((string)frame["type"]! != "leave")
            {
                return false;
            }

            socket.Say(new JsonObject
            {
                ["type"] = "error", ["code"] = ErrorCodes.Forbidden, ["message"] = "the last owner", ["ref"] = (string)frame["ref"]!,
            });
            return true;
        };
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);

        var fault = await Assert.ThrowsAsync<ChatException>(() => client.LeaveAsync("lobby").WaitAsync(FaultServer.Patience));
        await client.SendAsync(Lobby, "still here").WaitAsync(FaultServer.Patience);
        await listener.EventAsync(Lobby, 1);
        socket.Cut();
        server.Write("r:lobby", "bob", "welcome back");
        await listener.EventAsync(Lobby, 2);

        Assert.Equal(ErrorCodes.Forbidden, fault.Code);
        Assert.Empty(listener.Items.OfType<RoomLeft>());
    }

    [Fact]
    public async Task A_room_joined_again_right_after_its_leave_waits_for_the_answer_and_is_alive_then()
    {
        await using var server = await FaultServer.StartAsync();
        var answer = new TaskCompletionSource();
        server.Script.OnFrame = (socket, frame) =>
        {
            if ((string)frame["type"]! != "leave")
            {
                return false;
            }

            answer.Task.ContinueWith(
                _ =>
                {
                    lock (server.Gate)
                    {
                        server.Handle(socket, frame);
                    }
                }, TaskScheduler.Default);
            return true;
        };
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);

        var leaving = client.LeaveAsync("lobby");
        var joining = client.JoinAsync("lobby");
        await socket.ReceivedAsync("leave");
        Assert.Single(socket.Received, frame => (string?)frame["type"] == "join");
        answer.SetResult();
        await Task.WhenAll(leaving, joining).WaitAsync(FaultServer.Patience);
        await client.SendAsync(Lobby, "back").WaitAsync(FaultServer.Patience);

        await listener.EventAsync(Lobby, 1);
        Assert.Equal(2, socket.Received.Count(frame => (string?)frame["type"] == "join"));
    }

    [Fact]
    public async Task A_room_that_somebody_else_ended_is_told_with_the_reason_and_not_joined_again()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);

        socket.Say(new JsonObject
        {
            ["type"] = "member", ["room"] = "lobby", ["user"] = "alice", ["change"] = "banned", ["by"] = "bob",
            ["until"] = "2099-01-01T00:00:00.000Z",
        });
        socket.Say(new JsonObject { ["type"] = "profile", ["user"] = "bob", ["name"] = "Bob" });
        socket.Say(new JsonObject { ["type"] = "left", ["room"] = "lobby", ["reason"] = "banned" });
        await listener.ItemAsync<RoomLeft>(left => left.Reason == "banned");
        socket.Cut();
        await client.SendAsync(Conversation.With("bob"), "why?").WaitAsync(FaultServer.Patience);

        var member = await listener.ItemAsync<MemberChanged>();
        Assert.Equal(("alice", "banned", "bob", 2099), (member.User, member.Change, member.By, member.Until?.Year));
        Assert.Equal("Bob", (await listener.ItemAsync<ProfileChanged>()).Profile?.Name);
        Assert.Equal("Bob", client.ProfileOf("bob")?.Name);
        Assert.DoesNotContain((await server.NextSocketAsync()).Received, frame => (string?)frame["type"] is "join" or "resume" && frame["room"] is not null);
    }

    [Fact]
    public async Task What_a_message_carries_and_a_signal_go_both_ways()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);
        server.Write("r:lobby", "bob", "question");

        await client.SendAsync(Lobby, "answer", new ChatMessageOptions { ReplyTo = 1, Mentions = ["bob"], Meta = "{\"k\":[1]}" });
        var message = await listener.ItemAsync<MessageSent>(e => e.Seq == 2);
        Assert.True(client.Signal(Lobby, "wave", "{\"hand\":\"left\"}"));
        var sent = await socket.ReceivedAsync("signal");
        socket.Say(new JsonObject { ["type"] = "signal", ["room"] = "lobby", ["from"] = "bob", ["name"] = "wave", ["data"] = 7 });
        var signal = await listener.ItemAsync<SignalReceived>();

        Assert.Equal((1, "bob", "{\"k\":[1]}"), (message.ReplyTo, message.Mentions.Single(), message.Meta));
        Assert.Equal(("wave", "left"), ((string?)sent["name"], (string?)sent["data"]!["hand"]));
        Assert.Equal(("bob", "wave", "7"), (signal.From, signal.Name, signal.Data));
    }
}
