using System.Text.Json.Nodes;
using AspireChat.Client;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>Faults of the socket, of the order and of single frames, one at a time.</summary>
public sealed class SocketFaultTests
{
    [Fact]
    public async Task Events_missed_while_the_socket_was_cut_come_in_order_and_once()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);
        server.Write("r:lobby", "bob", "1");
        await listener.EventAsync(Lobby, 1);

        lock (server.Gate)
        {
            socket.Rooms.Clear();
            socket.Cut();
            server.WriteToLobby(first: 2, last: 40);
        }
        await listener.EventAsync(Lobby, 40);

        Assert.Equal(Range(1, 40), listener.Seqs(Lobby));
        Assert.Equal("resume", (string?)(await (await server.NextSocketAsync()).ReceivedAsync("resume"))["type"]);
        Assert.Equal(0, server.PagesServed);
    }

    [Fact]
    public async Task A_frame_that_came_twice_is_given_once()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnSay = (_, frame) => frame["id"] is null ? [frame] : [frame, frame];
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        await using var listener = new Listener(client);

        server.WriteToLobby(first: 1, last: 20);

        await listener.EventAsync(Lobby, 20);

        Assert.Equal(Range(1, 20), listener.Seqs(Lobby));
    }

    [Fact]
    public async Task A_skipped_seq_is_read_from_history_before_later_events_are_given_out()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnSay = (_, frame) => IsEvent(frame, 3) || IsEvent(frame, 4) ? [] : [frame];
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        await using var listener = new Listener(client);

        server.WriteToLobby(first: 1, last: 6);

        await listener.EventAsync(Lobby, 6);

        Assert.Equal(Range(1, 6), listener.Seqs(Lobby));
        Assert.Equal(Range(1, 6).Select(seq => $"{seq}"), listener.Contents(Lobby));
        Assert.True(server.PagesServed > 0);
    }

    [Fact]
    public async Task A_lost_last_event_is_fetched_when_its_acknowledgement_says_that_it_exists()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnSay = (_, frame) => IsEvent(frame, 1) ? [] : [frame];
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        await using var listener = new Listener(client);

        var accepted = await client.SendAsync(Lobby, "hello");
        await listener.EventAsync(Lobby, 1);

        Assert.Equal(1, accepted.Seq);
        Assert.Equal(["hello"], listener.Contents(Lobby));
    }

    [Fact]
    public async Task Live_direct_messages_that_come_before_their_replay_and_again_in_it_are_given_in_order_and_once()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);
        var bob = Conversation.With("bob");
        server.Write("d:alice:bob", "bob", "1");
        await listener.EventAsync(bob, 1);
        await socket.ReceivedAsync("resume");

        // The next connection gets a live event between welcome and replay.
        server.Script.OnFrame = (_, frame) =>
        {
            if ((string)frame["type"]! == "resume")
            {
                server.Write("d:alice:bob", "bob", "4");
            }

            return false;
        };
        lock (server.Gate)
        {
            socket.IsMute = true;
            server.Write("d:alice:bob", "bob", "2");
            server.Write("d:alice:bob", "bob", "3");
            socket.Cut();
        }
        await listener.EventAsync(bob, 4);
        server.Write("d:alice:bob", "bob", "5");
        await listener.EventAsync(bob, 5);

        Assert.Equal(Range(1, 5), listener.Seqs(bob));
    }

    [Fact]
    public async Task A_first_direct_message_that_came_while_the_client_was_away_is_given_out_too()
    {
        await using var server = await FaultServer.StartAsync();
        server.Write("d:alice:carol", "carol", "before the session");
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);

        lock (server.Gate)
        {
            socket.IsMute = true;
            socket.Cut();
            server.Write("d:alice:dave", "dave", "hello from dave");
            server.Write("d:alice:carol", "carol", "hello from carol");
        }
        await listener.EventAsync(Conversation.With("dave"), 1);
        await listener.EventAsync(Conversation.With("carol"), 2);

        Assert.Equal(["hello from dave"], listener.Contents(Conversation.With("dave")));
        Assert.Equal(["hello from carol"], listener.Contents(Conversation.With("carol")));
    }

    [Fact]
    public async Task A_replay_that_ends_early_is_completed_from_history_while_live_events_wait()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.ReplayLimit = 10;
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        await using var listener = new Listener(client);

        lock (server.Gate)
        {
            socket.IsMute = true;
            server.WriteToLobby(first: 1, last: 700);

            socket.Cut();
        }
        await (await server.NextSocketAsync()).ReceivedAsync("resume");
        server.Write("r:lobby", "bob", "701");
        await listener.EventAsync(Lobby, 701);

        Assert.Equal(Range(1, 701), listener.Seqs(Lobby));
    }

    [Fact]
    public async Task Events_that_history_does_not_have_are_told_as_a_gap_and_later_events_follow()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnSay = (_, frame) => IsEvent(frame, 2) || IsEvent(frame, 3) ? [] : [frame];
        server.Script.OnPage = page =>
        {
            foreach (var item in page["items"]!.AsArray().Where(item => (long)item!["seq"]! is 2 or 3).ToList())
            {
                page["items"]!.AsArray().Remove(item);
            }
        };
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        await using var listener = new Listener(client);

        server.WriteToLobby(first: 1, last: 5);

        await listener.EventAsync(Lobby, 5);

        Assert.Equal([1, 4, 5], listener.Seqs(Lobby));
        Assert.Equal(new HistoryGap(Lobby, 2, 3), Assert.Single(listener.Items.OfType<HistoryGap>()));
        Assert.True(listener.Items.ToList().FindIndex(item => item is HistoryGap) < listener.Items.ToList()
            .FindIndex(item => item is ChatEvent { Seq: 4 }));
    }

    [Fact]
    public async Task A_history_that_does_not_answer_delays_events_but_loses_none()
    {
        await using var server = await FaultServer.StartAsync();
        var refusals = 0;
        server.Script.OnHttp = request => request.Path.Value!.EndsWith("messages", StringComparison.Ordinal)
            && refusals++ < 8 ? refusals % 2 == 0 ? 503 : -1 : 200;
        server.Script.OnSay = (_, frame) => IsEvent(frame, 1) ? [] : [frame];
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        await using var listener = new Listener(client);

        server.Write("r:lobby", "bob", "1");
        server.Write("r:lobby", "bob", "2");
        await listener.EventAsync(Lobby, 2);

        Assert.Equal([1, 2], listener.Seqs(Lobby));
        Assert.Empty(listener.Items.OfType<HistoryGap>());
        Assert.Contains(listener.Items.OfType<ChatFault>(), fault => fault.Code == ChatErrorCodes.History);
    }

    [Fact]
    public async Task A_reader_that_pauses_gets_every_event_and_memory_stays_bounded()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, _) = await InLobbyAsync(server, options => options with { EventBuffer = 16 });
        await using var __ = client;
        for (var i = 1; i <= 1_000; i++)
        {
            server.Write("r:lobby", "bob", $"{i}");
        }

        // Sends are acknowledged although the application does not read.
        var accepted = await client.SendAsync(Lobby, "last").WaitAsync(FaultServer.Patience);
        await using var listener = new Listener(client);
        await listener.EventAsync(Lobby, 1_001);

        Assert.Equal(1_001, accepted.Seq);
        Assert.Equal(Range(1, 1_001), listener.Seqs(Lobby));
    }

    internal static IEnumerable<long> Range(long from, long to)
    {
        for (var i = from; i <= to; i++)
        {
            yield return i;
        }
    }

    internal static bool IsEvent(JsonObject frame, long seq) => frame["id"] is not null && (string?)frame["type"] != "ack"
        && (long?)frame["seq"] == seq;
}
