using System.Text.Json.Nodes;
using AspireChat.Client;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>A log that was rebuilt: what the client tells the application, and which frames it does not mix up with the old log.</summary>
public sealed class EpochTests
{
    [Fact]
    public async Task A_new_epoch_is_told_once_and_events_continue_behind_its_head()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        await using var listener = new Listener(client);
        server.WriteToLobby(first: 1, last: 5);

        await listener.EventAsync(Lobby, 5);

        server.Rebuild("r:lobby", lost: 2);
        var reloaded = await listener.ItemAsync<ConversationReset>();
        server.Write("r:lobby", "bob", "4 again");
        await listener.ItemAsync<MessageSent>(e => e.Content == "4 again");

        Assert.Equal(new ConversationReset(Lobby, server.Log("r:lobby").Epoch, 3), reloaded);
        Assert.Equal([1, 2, 3, 4, 5, 4], listener.Seqs(Lobby));
        Assert.Single(listener.Items.OfType<ConversationReset>());
        Assert.Equal(reloaded.Epoch, listener.Items.OfType<MessageSent>().Last().Epoch);
        Assert.Equal(["3", "2", "1"], (await client.HistoryAsync(Lobby, before: "4")).Items.Cast<MessageSent>().Select(e => e.Content));
    }

    [Fact]
    public async Task An_epoch_that_changed_while_the_client_was_away_is_told_when_it_comes_back()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);
        server.Write("r:lobby", "bob", "1");
        await listener.EventAsync(Lobby, 1);

        lock (server.Gate)
        {
            socket.IsMute = true;
            server.Rebuild("r:lobby", lost: 0);
            server.Write("r:lobby", "bob", "2");
            socket.Cut();
        }
        var reloaded = await listener.ItemAsync<ConversationReset>();

        Assert.Equal(2, reloaded.Head);
        Assert.Equal([1], listener.Seqs(Lobby));
    }

    [Fact]
    public async Task A_first_direct_message_whose_log_was_lost_before_its_epoch_was_known_is_followed_by_a_reload()
    {
        await using var server = await FaultServer.StartAsync();
        var named = false;
        server.Script.OnFrame = (_, frame) => (string)frame["type"]! == "resume" && !named;
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);
        var bob = Conversation.With("bob");
        server.Write("d:alice:bob", "bob", "lost");
        await listener.EventAsync(bob, 1);

        lock (server.Gate)
        {
            named = true;
            socket.IsMute = true;
            server.Rebuild("d:alice:bob", lost: 1);
            server.Write("d:alice:bob", "bob", "1 of the new log");
            socket.Cut();
        }
        await listener.ItemAsync<ConversationReset>();
        server.Write("d:alice:bob", "bob", "2");
        await listener.EventAsync(bob, 2);

        Assert.Equal(new ConversationReset(bob, server.Log("d:alice:bob").Epoch, 1), Assert.Single(listener.Items.OfType<ConversationReset>()));
        Assert.Equal(["lost", "2"], listener.Contents(bob));
    }

    [Fact]
    public async Task A_live_message_of_a_new_log_is_not_taken_for_one_of_the_old_log_before_the_epoch_is_known()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);
        var bob = Conversation.With("bob");
        // The acknowledgement names the log.
        await client.SendAsync(bob, "1").WaitAsync(FaultServer.Patience);
        await listener.EventAsync(bob, 1);

        server.Script.OnFrame = (_, frame) =>
        {
            if ((string)frame["type"]! == "resume" && server.Log("d:alice:bob").Head == 1)
            {
                server.Write("d:alice:bob", "bob", "2 of the new log");
            }

            return false;
        };
        lock (server.Gate)
        {
            socket.IsMute = true;
            server.Rebuild("d:alice:bob", lost: 0);
            socket.Cut();
        }
        await listener.ItemAsync<ConversationReset>();
        server.Write("d:alice:bob", "bob", "3");
        await listener.EventAsync(bob, 3);

        Assert.Equal(new ConversationReset(bob, server.Log("d:alice:bob").Epoch, 2), Assert.Single(listener.Items.OfType<ConversationReset>()));
        Assert.Equal(["1", "3"], listener.Contents(bob));
    }

    [Fact]
    public async Task Frames_of_the_old_log_that_come_after_history_showed_the_new_one_are_not_taken_for_the_new_one()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);
        var held = new List<JsonObject>();
        var (holds, asked) = (false, false);
        server.Script.OnSay = (_, frame) =>
        {
            if (!holds)
            {
                return SocketFaultTests.IsEvent(frame, 2) && !asked ? [] : [frame];
            }

            held.Add(frame);
            return [];
        };
        server.Script.OnHttp = request =>
        {
            if (asked || !request.Path.Value!.EndsWith("messages", StringComparison.Ordinal))
            {
                return 200;
            }
            // The log is rebuilt while history is asked for the missing event, and the socket's frames about it are late.
            asked = holds = true;
            server.Write("r:lobby", "bob", "4 of the old log");
            server.Write("r:lobby", "bob", "5 of the old log");
            server.Rebuild("r:lobby", lost: 3);
            return 200;
        };
        server.WriteToLobby(first: 1, last: 3);

        await Task.WhenAny(socket.ReceivedAsync("resume"), listener.ItemAsync<ConversationReset>()).WaitAsync(FaultServer.Patience);
        lock (server.Gate)
        {
            holds = false;
            held.ForEach(socket.Say);
        }
        await listener.ItemAsync<ConversationReset>();
        server.Write("r:lobby", "bob", "3 of the new log");
        await listener.ItemAsync<MessageSent>(e => e.Content == "3 of the new log");

        Assert.Equal(new ConversationReset(Lobby, server.Log("r:lobby").Epoch, 2), Assert.Single(listener.Items.OfType<ConversationReset>()));
        Assert.Equal(["1", "3 of the new log"], listener.Contents(Lobby));
        Assert.Empty(listener.Items.OfType<HistoryGap>());
    }
}
