using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using AspireChat.Client;
using AspireChat.Tests.Client;

namespace AspireChat.Tests.Acceptance;

/// <summary>Sockets past the gateway, at a node of the real system that has a public address.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "AppHost")]
public sealed class TicketTests(ChatSystem system, AddressedNode node) : IClassFixture<AddressedNode>
{
    [Fact]
    public async Task Clients_of_both_libraries_connect_past_the_gateway_and_go_on_through_it_when_the_node_does_not_answer()
    {
        var (room, alice) = (Conversation.Room(ChatSystem.Unique("room")), ChatSystem.Unique("alice"));
        await using var csharp = new ChatClient(new ChatClientOptions
        {
            Gateway = node.Gateway, TokenProvider = async _ => await system.TokenAsync(alice),
            // A third of it is for the node.
            ConnectTimeout = TimeSpan.FromSeconds(3),
        });
        await using var listener = new Listener(csharp);
        await csharp.JoinAsync(room.RoomId!).WaitAsync(ChatSocket.Patience);
        await using var javascript = await NodeParticipant.StartAsync(
            node.Gateway, ChatSystem.Unique("bob"), room.RoomId!, speed: 1, useTickets: true);
        // Somebody at the other nodes, through the system's own gateway.
        await using var carol = await system.ConnectAsync(ChatSystem.Unique("carol"));
        await carol.JoinAsync(room.RoomId!);

        Assert.Equal((true, 2), (javascript.IsPastTheGateway, node.Sockets));
        await csharp.SendAsync(room, "1").WaitAsync(ChatSocket.Patience);
        await javascript.SendAsync("2");
        await carol.ExpectAsync("room", frame => (string?)frame["content"] == "2");

        node.FallSilent();
        await csharp.SendAsync(room, "3").WaitAsync(ChatSocket.Patience);
        await javascript.SendAsync("4");
        await carol.SayAsync(room.RoomId!, "5");
        await listener.EventAsync(room, 5);
        await javascript.UntilAsync(items => items.OfType<ChatEvent>().Count() == 5, "all five");

        Assert.Equal([1, 2, 3, 4, 5], listener.Seqs(room));
        Assert.Equal([1, 2, 3, 4, 5], javascript.Items.OfType<ChatEvent>().Select(e => e.Seq));
        // Each tried the node once before it went through the gateway.
        Assert.Equal(2, node.TicketsInSilence);
    }

    [Fact]
    public async Task A_revoked_ticket_and_an_expired_one_open_no_socket()
    {
        var (alice, bob, carol) = (ChatSystem.Unique("alice"), ChatSystem.Unique("bob"), ChatSystem.Unique("carol"));
        var token = await system.TokenAsync(alice);
        var (revoked, good) = (await TicketAsync(token), await TicketAsync(await system.TokenAsync(bob)));
        // A ticket lasts no longer than the token that it was got with.
        var expiring = await TicketAsync(await system.TokenAsync(carol, expiresIn: 1));

        var (status, _) = await system.CallAsync(
            ChatSystem.Unique("admin"), HttpMethod.Post, $"/api/admin/users/{alice}/revoke", scope: "chat:admin");
        Assert.Equal(204, status);
        // The node has heard of it when it refuses the token itself. The ticket can be tried only once.
        await ChatSystem.EventuallyAsync(async () => (int)(await AskAsync(node.Node, token)).StatusCode, answer => answer == 401);
        var expires = DateTimeOffset.Parse((string)expiring["expires"]!, null);
        await ChatSystem.EventuallyAsync(() => Task.FromResult(TimeProvider.System.GetUtcNow()), now => now > expires);

        Assert.Equal(401, await OpenAsync(revoked));
        Assert.Equal(401, await OpenAsync(expiring));
        Assert.Equal(101, await OpenAsync(good));
        Assert.Equal(401, await OpenAsync(good));
    }

    private async Task<JsonObject> TicketAsync(string token)
    {
        using var answer = await AskAsync(node.Gateway, token);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonObject>())!;
    }

    private async Task<HttpResponseMessage> AskAsync(Uri server, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, "/api/socket-tickets"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await system.Http.SendAsync(request);
    }

    /// <summary>Opens the node's socket with the ticket. Returns the status of the handshake.</summary>
    private async Task<int> OpenAsync(JsonObject ticket)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        using var patience = new CancellationTokenSource(ChatSocket.Patience);
        var address = new UriBuilder(node.Node) { Scheme = "ws", Path = "/ws", Query = $"ticket={ticket["ticket"]}" }.Uri;
        try
        {
            await socket.ConnectAsync(address, patience.Token);
        }
        catch (WebSocketException)
        {
            // The status says why.
        }

        return (int)socket.HttpStatusCode;
    }
}
