using AspireChat.Client;
using static AspireChat.Tests.Client.Clients;
using static AspireChat.Tests.Client.SocketFaultTests;

namespace AspireChat.Tests.Client;

/// <summary>Several readers of one client: each gets everything of its scope, and none delays another.</summary>
public sealed class ReaderTests
{
    [Fact]
    public async Task A_reader_that_does_not_read_delays_no_other_one_and_misses_nothing()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, _) = await InLobbyAsync(server, options => options with { EventBuffer = 16 });
        await using var __ = client;
        await using var quick = new Listener(client);
        await quick.ItemAsync<RoomJoined>();
        var (all, ofLobby) = (client.Events(), client.Events(Lobby));

        server.WriteToLobby(first: 1, last: 300);
        await quick.EventAsync(Lobby, 300);

        Assert.Equal(Range(1, 300), quick.Seqs(Lobby));
        await using var slow = new Listener(all);
        await using var slowOfLobby = new Listener(ofLobby);
        await slow.EventAsync(Lobby, 300);
        await slowOfLobby.EventAsync(Lobby, 300);
        Assert.Equal(Range(1, 300), slow.Seqs(Lobby));
        Assert.Equal(Range(1, 300), slowOfLobby.Seqs(Lobby));
    }

    [Fact]
    public async Task A_reader_of_one_conversation_gets_that_one_only()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        var bob = Conversation.With("bob");
        await using var listener = new Listener(client.Events(bob));

        server.Write("r:lobby", "bob", "to all");
        server.Write("d:alice:bob", "bob", "to alice");
        await listener.EventAsync(bob, 1);

        Assert.All(listener.Items, item => Assert.Equal(bob, ((ConversationItem)item).Conversation));
    }

    [Fact]
    public async Task Who_stops_reading_goes_on_with_the_next_item()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        server.WriteToLobby(first: 1, last: 2);

        await foreach (var item in client.Events())
        {
            if (item is ChatEvent { Seq: 1 })
            {
                break;
            }
        }

        server.WriteToLobby(first: 3, last: 3);
        await using var listener = new Listener(client);
        await listener.EventAsync(Lobby, 3);
        Assert.Equal([2, 3], listener.Seqs(Lobby));
    }

    [Fact]
    public async Task A_slow_reader_is_told_of_a_rebuilt_log_instead_of_the_events_of_the_old_one()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, _) = await InLobbyAsync(server, options => options with { EventBuffer = 16 });
        await using var __ = client;
        await using var quick = new Listener(client);
        await quick.ItemAsync<RoomJoined>();
        var slow = client.Events(Lobby);

        server.WriteToLobby(first: 1, last: 50);
        await quick.EventAsync(Lobby, 50);
        server.Rebuild("r:lobby", lost: 10);
        var reloaded = await quick.ItemAsync<ConversationReset>();
        server.WriteToLobby(first: 41, last: 45);
        await quick.ItemAsync<ChatEvent>(e => e.Seq == 45 && e.Epoch == reloaded.Epoch);

        await using var listener = new Listener(slow);
        await listener.ItemAsync<ChatEvent>(e => e.Seq == 45 && e.Epoch == reloaded.Epoch);
        var afterwards = listener.Items.SkipWhile(item => item is not ConversationReset).ToList();
        Assert.Equal(reloaded, afterwards[0]);
        Assert.Equal(Range(41, 45), afterwards.OfType<ChatEvent>().Select(e => e.Seq));
        Assert.Equal(Range(1, 16), listener.Items.Take(16).OfType<ChatEvent>().Select(e => e.Seq));
    }

    [Fact]
    public async Task A_slow_reader_is_told_which_events_history_does_not_have()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnPage = page =>
        {
            var items = page["items"]!.AsArray();
            foreach (var item in items.Where(item => (long)item!["seq"]! is 30 or 31).ToList())
            {
                items.Remove(item);
            }
        };
        var (client, _) = await InLobbyAsync(server, options => options with { EventBuffer = 16 });
        await using var __ = client;
        await using var quick = new Listener(client);
        await quick.ItemAsync<RoomJoined>();
        var slow = client.Events(Lobby);
        server.WriteToLobby(first: 1, last: 60);
        await quick.EventAsync(Lobby, 60);

        await using var listener = new Listener(slow);
        await listener.EventAsync(Lobby, 60);

        Assert.Equal((30, 31), listener.Items.OfType<HistoryGap>().Select(gap => (gap.From, gap.To)).Single());
        Assert.Equal(Range(1, 29).Concat(Range(32, 60)), listener.Seqs(Lobby));
    }

    [Fact]
    public async Task A_slow_reader_learns_at_last_that_the_room_was_left()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server, options => options with { EventBuffer = 16 });
        await using var __ = client;
        await using var quick = new Listener(client);
        await quick.ItemAsync<RoomJoined>();
        var slow = client.Events(Lobby);
        server.WriteToLobby(first: 1, last: 60);
        await quick.EventAsync(Lobby, 60);
        socket.Say(new() { ["type"] = "left", ["room"] = "lobby", ["reason"] = "removed" });
        await quick.ItemAsync<RoomLeft>();

        await using var listener = new Listener(slow);

        Assert.Equal("removed", (await listener.ItemAsync<RoomLeft>()).Reason);
    }
}
