using System.Text.Json.Nodes;
using AspireChat.Client;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>
/// A <c>durable</c> does not say which log it is about. After a reconnect the log may be another one, in which another event stands at the
/// place of one that was lost.
/// </summary>
public sealed class DurableReportTests
{
    [Fact]
    public async Task A_report_that_comes_before_the_log_is_confirmed_waits_for_that()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server, Unhurried);
        await using var _ = client;
        await using var listener = new Listener(client);
        var durable = client.WhenDurableAsync(await client.SendAsync(Lobby, "1"));
        List<(ServerSocket, JsonObject)> withheld = [];
        server.Script.OnSay = (to, frame) =>
        {
            if ((string?)frame["type"] is not ("joined" or "resumed"))
            {
                return [frame];
            }

            withheld.Add((to, frame));
            return [];
        };

        socket.Cut();
        var again = await server.NextSocketAsync();
        await again.ReceivedAsync("resume");
        again.Say(Durable(1));
        again.Say(Typing());
        await listener.ItemAsync<TypingChanged>();

        Assert.False(durable.IsCompleted);
        Assert.Empty(listener.Items.OfType<DurableMoved>());
        lock (server.Gate)
        {
            server.Script.OnSay = (_, frame) => [frame];
            withheld.ForEach(frame => frame.Item1.Say(frame.Item2));
        }
        await durable.WaitAsync(FaultServer.Patience);
        await listener.ItemAsync<DurableMoved>(moved => moved.Seq == 1);
    }

    [Fact]
    public async Task A_report_of_a_log_that_turns_out_to_be_another_one_is_about_nothing_that_was_sent()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server, Unhurried);
        await using var _ = client;
        await using var listener = new Listener(client);
        await client.SendAsync(Lobby, "1");
        var lost = client.WhenDurableAsync(await client.SendAsync(Lobby, "2"));
        await listener.EventAsync(Lobby, 2);
        // Behind the client's back the log loses the last event, and another one takes its place and is committed.
        server.Script.OnSay = (_, frame) => (string?)frame["type"] == "joined" ? [Durable(2), frame] : [frame];

        socket.IsMute = true;
        server.Rebuild("r:lobby", lost: 1);
        socket.Cut();

        await listener.ItemAsync<Reloaded>();
        var reason = await Assert.ThrowsAsync<ChatException>(() => lost.WaitAsync(FaultServer.Patience));
        Assert.Equal(ChatFaults.EpochChanged, reason.Code);
        Assert.Empty(listener.Items.OfType<DurableMoved>());
    }

    /// <summary>Nothing is asked again or looked up by itself: what the test says is all there is.</summary>
    private static ChatClientOptions Unhurried(ChatClientOptions options) =>
        options with { AckTimeout = TimeSpan.FromMinutes(1), LateAfter = TimeSpan.FromMinutes(1) };

    private static JsonObject Durable(long seq) => new() { ["type"] = "durable", ["room"] = "lobby", ["seq"] = seq };

    private static JsonObject Typing() => new() { ["type"] = "typing", ["from"] = "bob", ["room"] = "lobby", ["active"] = true };
}
