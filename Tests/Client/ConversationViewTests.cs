using System.Text.Json.Nodes;
using AspireChat.Client;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>A view of a conversation that is kept current while the server misbehaves.</summary>
public sealed class ConversationViewTests
{
    [Fact]
    public async Task Changes_that_come_while_a_page_of_history_is_on_its_way_are_not_undone_by_it()
    {
        await using var server = await FaultServer.StartAsync();
        server.WriteToLobby(first: 1, last: 5);
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        using var view = client.View(Lobby);
        server.Script.OnPage = _ =>
        {
            // The page is made. It is sent once the client has the changes.
            Change(server, "edit", target: 4, content: "new");
            Change(server, "delete", target: 5);
            SpinWait.SpinUntil(() => view.Current.Head == 7, FaultServer.Patience);
        };

        Assert.Equal(5, await view.OlderAsync().WaitAsync(FaultServer.Patience));

        Assert.Equal(["1", "2", "3", "new", ""], view.Current.Messages.Select(message => message.Content));
        Assert.True(view.Current.Messages[4].IsDeleted);
        Assert.Equal(6, view.Current.Messages[3].Edited);
    }

    [Fact]
    public async Task A_view_shows_what_comes_live_and_pages_back_to_the_start_without_a_seam()
    {
        await using var server = await FaultServer.StartAsync();
        server.WriteToLobby(first: 1, last: 25);
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        using var view = client.View(Lobby);
        server.WriteToLobby(first: 26, last: 30);
        await UntilAsync(view, snapshot => snapshot.Head == 30);
        Assert.Equal([26, 27, 28, 29, 30], view.Current.Messages.Select(message => message.Seq));
        server.Script.OnPage = page => page["next"] = (long)page["items"]!.AsArray()[^1]!["seq"]! > 1 ? "more" : null;

        for (var expected = 15; expected > 0; expected -= 10)
        {
            await view.OlderAsync(limit: 10).WaitAsync(FaultServer.Patience);
        }

        Assert.False(view.Current.AtStart);
        await view.OlderAsync(limit: 10).WaitAsync(FaultServer.Patience);
        Assert.True(view.Current.AtStart);
        Assert.Equal(SocketFaultTests.Range(1, 30), view.Current.Messages.Select(message => message.Seq));
        Assert.Equal(0, await view.OlderAsync());
    }

    [Fact]
    public async Task A_rebuilt_log_empties_the_view_and_no_page_of_the_old_one_fills_it_again()
    {
        await using var server = await FaultServer.StartAsync();
        server.WriteToLobby(first: 1, last: 5);
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        using var view = client.View(Lobby);
        var former = view.Current.Epoch;
        var isFirst = true;
        server.Script.OnPage = _ =>
        {
            if (isFirst)
            {
                isFirst = false;
                server.Rebuild("r:lobby", lost: 2);
                SpinWait.SpinUntil(() => view.Current.Epoch != former, FaultServer.Patience);
            }
        };

        Assert.Equal(3, await view.OlderAsync().WaitAsync(FaultServer.Patience));

        Assert.Equal([1, 2, 3], view.Current.Messages.Select(message => message.Seq));
        Assert.Equal(server.Log("r:lobby").Epoch, view.Current.Epoch);
    }

    [Fact]
    public async Task A_view_opened_before_the_room_is_joined_has_no_hole_behind_its_page()
    {
        await using var server = await FaultServer.StartAsync();
        server.WriteToLobby(first: 1, last: 5);
        await using var client = new ChatClient(Options(server));
        await client.ConnectAsync().WaitAsync(FaultServer.Patience);
        using var view = client.View(Lobby);
        await view.OlderAsync().WaitAsync(FaultServer.Patience);
        server.WriteToLobby(first: 6, last: 9);

        await client.JoinAsync("lobby").WaitAsync(FaultServer.Patience);
        await UntilAsync(view, snapshot => snapshot.Head == 9);

        Assert.Equal(SocketFaultTests.Range(1, 9), view.Current.Messages.Select(message => message.Seq));
    }

    [Fact]
    public async Task Members_typing_cursors_role_and_unread_are_shown()
    {
        await using var server = await FaultServer.StartAsync();
        server.WriteToLobby(first: 1, last: 3);
        server.Script.OnSay = (_, frame) =>
        {
            if ((string?)frame["type"] == "joined")
            {
                (frame["role"], frame["sending"], frame["visibility"]) = ("moderator", "members", "private");
                (frame["name"], frame["topic"], frame["read"]) = ("The lobby", "Talk", 3);
                frame["profiles"] = new JsonObject { ["bob"] = new JsonObject { ["name"] = "Bob" } };
            }

            return [frame];
        };
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        using var view = client.View(Lobby);

        server.Write("r:lobby", "bob", "hello");
        socket.Say(new() { ["type"] = "online", ["room"] = "lobby", ["users"] = new JsonArray("bob"), ["count"] = 2 });
        socket.Say(new() { ["type"] = "typing", ["room"] = "lobby", ["from"] = "bob", ["active"] = true });
        socket.Say(new() { ["type"] = "read", ["room"] = "lobby", ["from"] = "bob", ["seq"] = 2 });
        socket.Say(new()
        {
            ["type"] = "member", ["room"] = "lobby", ["user"] = "alice", ["change"] = "role", ["role"] = "owner", ["by"] = "bob",
        });
        await UntilAsync(view, snapshot => snapshot.Room?.Role == "owner");

        var now = view.Current;
        Assert.Equal(("The lobby", "Talk", "members", "private"), (now.Room!.Name, now.Room.Topic, now.Room.Sending, now.Room.Visibility));
        Assert.Equal(["alice", "bob"], now.Online.Order());
        Assert.Equal((2, 1, true), (now.OnlineCount, now.Unread, now.IsUnreadExact));
        Assert.Equal(["bob"], now.Typing);
        Assert.Equal(["bob"], now.ReadBy(2));
        Assert.Empty(now.ReadBy(3));
        Assert.Equal("Bob", client.ProfileOf("bob")?.Name);

        client.MarkRead(Lobby, 4);
        Assert.Equal((0, 4), (view.Current.Unread, view.Current.Read));
    }

    [Fact]
    public async Task What_is_unread_below_the_loaded_messages_is_asked_for()
    {
        await using var server = await FaultServer.StartAsync();
        server.WriteToLobby(first: 1, last: 8);
        server.Script.OnOverview = items => items.Add((JsonNode)new JsonObject
        {
            ["room"] = "lobby", ["head"] = 8, ["read"] = 2, ["unread"] = 6, ["mentions"] = 1, ["last"] = null,
        });
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        using var view = client.View(Lobby);

        await UntilAsync(view, snapshot => snapshot.IsUnreadExact);

        Assert.Equal((6, 1, 2), (view.Current.Unread, view.Current.UnreadMentions, view.Current.Read));
    }

    [Fact]
    public async Task Changed_is_raised_for_each_change_and_a_handler_that_throws_stops_no_other()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, _) = await InLobbyAsync(server);
        await using var __ = client;
        using var view = client.View(Lobby);
        var told = new TaskCompletionSource();
        view.Changed += (_, _) => throw new InvalidOperationException("the application's fault");
        view.Changed += (_, _) =>
        {
            if (view.Current.Head == 2)
            {
                told.TrySetResult();
            }
        };

        server.WriteToLobby(first: 1, last: 2);

        await told.Task.WaitAsync(FaultServer.Patience);
    }

    [Fact]
    public async Task A_view_ends_with_its_client_and_says_so()
    {
        await using var server = await FaultServer.StartAsync();
        var (client, _) = await InLobbyAsync(server);
        var view = client.View(Lobby);
        var reading = UntilAsync(view, _ => false);

        await client.DisposeAsync();

        await reading;
        Assert.Equal(ChatErrorCodes.Closed, (await Assert.ThrowsAsync<ChatException>(() => view.OlderAsync())).Code);
    }

    private static void Change(FaultServer server, string type, long target, string? content = null)
    {
        lock (server.Gate)
        {
            var frame = new JsonObject { ["type"] = type, ["room"] = "lobby", ["target"] = target, ["nonce"] = Guid.NewGuid().ToString("N") };
            if (content is not null)
            {
                frame["content"] = content;
            }

            server.Append("r:lobby", "bob", frame);
        }
    }

    /// <summary>Returns when the condition holds, or when the view has ended.</summary>
    private static async Task UntilAsync(IConversationView view, Func<ConversationSnapshot, bool> condition)
    {
        using var patience = new CancellationTokenSource(FaultServer.Patience);
        await foreach (var snapshot in view.Snapshots(patience.Token))
        {
            if (condition(snapshot))
            {
                return;
            }
        }
    }
}
