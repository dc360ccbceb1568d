using System.Text.Json.Nodes;
using AspireChat.Client.Connecting;
using static AspireChat.Tests.Client.Clients;

namespace AspireChat.Tests.Client;

/// <summary>Sockets past the gateway, where the server offers them.</summary>
public sealed class TicketTests
{
    [Fact]
    public async Task A_ticket_opens_the_socket_at_the_node_without_the_token()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnTicket = () => Ticket(server.Address, "alice~ticket");

        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;

        Assert.Equal("alice~ticket", socket.Token);
    }

    [Fact]
    public async Task A_server_without_tickets_is_asked_once()
    {
        await using var server = await FaultServer.StartAsync();
        var asked = 0;
        server.Script.OnTicket = () =>
        {
            asked++;
            return null;
        };
        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        socket.Cut();
        (await server.NextSocketAsync()).Cut();
        var third = await server.NextSocketAsync();

        Assert.Equal((1, "alice"), (asked, third.Token));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(503)]
    public async Task A_ticket_that_is_refused_is_followed_by_a_socket_through_the_gateway(int status)
    {
        await using var server = await FaultServer.StartAsync();
        var asked = 0;
        server.Script.OnTicket = () => Ticket(server.Address, $"alice~ticket{++asked}");
        server.Script.OnUpgrade = token => token.Contains("ticket", StringComparison.Ordinal) ? status : 101;

        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;
        socket.Cut();
        var second = await server.NextSocketAsync();

        Assert.Equal(("alice", "alice"), (socket.Token, second.Token));
        // The address rests for a while.
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task A_node_that_cannot_be_reached_is_followed_by_a_socket_through_the_gateway()
    {
        await using var server = await FaultServer.StartAsync();
        await using var gone = await FaultServer.StartAsync();
        await gone.DisposeAsync();
        server.Script.OnTicket = () => Ticket(gone.Address, "alice~ticket");

        var (client, socket) = await InLobbyAsync(server);
        await using var _ = client;

        Assert.Equal("alice", socket.Token);
    }

    [Fact]
    public async Task Without_the_option_no_ticket_is_asked_for()
    {
        await using var server = await FaultServer.StartAsync();
        server.Script.OnTicket = () => Ticket(server.Address, "alice~ticket");

        var (client, socket) = await InLobbyAsync(server, options => options with { UseTickets = false });
        await using var _ = client;

        Assert.Equal("alice", socket.Token);
    }

    [Theory]
    [InlineData("https://chat.example.org", "ws://node.example.org/ws", false)]
    [InlineData("https://chat.example.org", "wss://node.example.org/ws", true)]
    [InlineData("http://localhost", "ws://node/ws", true)]
    [InlineData("http://localhost", "http://node/ws", false)]
    [InlineData("http://localhost", null, false)]
    public void Who_talks_to_the_gateway_over_TLS_opens_no_socket_without_it(string gateway, string? url, bool isUsed) =>
        Assert.Equal(isUsed, SocketTicket.From(url, "t", new Uri(gateway)) is not null);

    private static JsonObject Ticket(Uri address, string ticket) => new()
    {
        ["url"] = new UriBuilder(address) { Scheme = "ws", Path = "/ws" }.Uri.ToString(), ["ticket"] = ticket,
    };
}
