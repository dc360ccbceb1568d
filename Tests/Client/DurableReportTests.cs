using System.Text.Json.Nodes;
using AspireChat.Client;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>
/// A <c>durable</c> does not name its log. After a reconnect the log may be another one, in which another event has the seq of a lost one.
/// </summary>
public sealed class DurableReportTests
{
    [Fact]
    public async Task A_report_that_comes_before_the_log_is_confirmed_waits_for_the_confirmation()
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
        Assert.Empty(listener.Items.OfType<EventsDurable>());
        lock (server.Gate)
        {
            server.Script.OnSay = (_, frame) => [frame];
            withheld.ForEach(frame => frame.Item1.Say(frame.Item2));
        }
        await durable.WaitAsync(FaultServer.Patience);
        await listener.ItemAsync<EventsDurable>(moved => moved.Seq == 1);
    }

    [Fact]
    public async Task A_report_of_a_log_that_turns_out_to_be_another_one_does_not_make_earlier_sends_durable()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server, Unhurried);
        await using var _ = client;
        await using var listener = new Listener(client);
        await client.SendAsync(Lobby, "1");
        var lost = client.WhenDurableAsync(await client.SendAsync(Lobby, "2"));
        await listener.EventAsync(Lobby, 2);
        // While the client is away the log loses the last event. Another one gets its seq and is committed.
        server.Script.OnSay = (_, frame) => (string?)frame["type"] == "joined" ? [Durable(2), frame] : [frame];

        socket.IsMute = true;
        server.Rebuild("r:lobby", lost: 1);
        socket.Cut();

        await listener.ItemAsync<ConversationReset>();
        var reason = await Assert.ThrowsAsync<ChatException>(() => lost.WaitAsync(FaultServer.Patience));
        Assert.Equal(ChatErrorCodes.EpochChanged, reason.Code);
        Assert.Empty(listener.Items.OfType<EventsDurable>());
    }

    /// <summary>The client repeats and looks up nothing by itself, so only the test's frames matter.</summary>
    private static ChatClientOptions Unhurried(ChatClientOptions options) =>
        options with { AckTimeout = TimeSpan.FromMinutes(1), LateAfter = TimeSpan.FromMinutes(1) };

    private static JsonObject Durable(long seq) => new() { ["type"] = "durable", ["room"] = "lobby", ["seq"] = seq };

    private static JsonObject Typing() => new() { ["type"] = "typing", ["from"] = "bob", ["room"] = "lobby", ["active"] = true };
}
