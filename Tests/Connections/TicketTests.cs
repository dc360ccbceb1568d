using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.Log;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Connections;

[Trait("Needs", "Redis")]
public sealed class TicketTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    private const string PublicAddress = "Sockets:PublicAddress=wss://node-1.chat.example/";

    [Fact]
    public async Task Without_a_public_address_there_are_no_tickets_and_a_socket_is_as_it_was()
    {
        await using var node = await StartAsync();
        using var alice = node.HttpClient("alice");

        using var answer = await alice.PostAsync("/api/socket-tickets", null);

        var problem = await Problems.AssertAsync(HttpStatusCode.NotFound, answer);
        Assert.Contains("Tickets are off", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(401, await RefusalOfAsync(node, "anything"));
        await using var socket = await node.ConnectAsync("alice");
    }

    [Fact]
    public async Task A_ticket_opens_one_socket_for_its_user_that_lasts_as_long_as_their_token()
    {
        await using var node = await StartAsync(PublicAddress);
        var (url, ticket) = await TicketAsync(node, "alice");

        using var socket = await OpenAsync(node, ticket);
        var welcome = await WelcomeAsync(socket);

        Assert.Equal("wss://node-1.chat.example/ws", url);
        Assert.Equal("alice", (string?)welcome["user"]);
        var expires = DateTimeOffset.Parse((string)welcome["expires"]!);
        Assert.True(expires > TimeProvider.System.GetUtcNow().AddMinutes(50), $"expires {expires}");
        Assert.Equal(401, await RefusalOfAsync(node, ticket));
    }

    [Fact]
    public async Task A_ticket_is_revoked_with_the_token_that_it_was_got_with()
    {
        await using var node = await StartAsync(PublicAddress);
        var (_, ticket) = await TicketAsync(node, "revoked-holder");
        using var admin = node.HttpClient("root", "chat:admin");

        (await admin.PostAsync("/api/admin/users/revoked-holder/revoke", null)).EnsureSuccessStatusCode();

        Assert.Equal(401, await RefusalOfAsync(node, ticket));
        var (_, fresh) = await TicketAsync(node, "revoked-holder");
        using var socket = await OpenAsync(node, fresh);
        Assert.Equal("revoked-holder", (string?)(await WelcomeAsync(socket))["user"]);
    }

    [Fact]
    public async Task A_page_of_the_gateway_gets_its_ticket_there_and_opens_its_socket_at_the_node()
    {
        await using var node = await StartAsync(PublicAddress);
        await using var gateway = await RunningGateway.StartAsync(
            [], new() { ["services:connection:http:0"] = node.Address.GetLeftPart(UriPartial.Authority), ["Jwt:Key"] = ConnectionNode.Key });
        var page = gateway.Address.GetLeftPart(UriPartial.Authority);
        async Task<HttpResponseMessage> AskAsync(string origin)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/socket-tickets");
            request.Headers.Authorization = new("Bearer", ConnectionNode.Token("alice"));
            request.Headers.Add("Origin", origin);
            // What only the gateway is believed about.
            request.Headers.Add("X-Forwarded-Host", "evil.example");
            return await gateway.Http.SendAsync(request);
        }

        using var refused = await AskAsync("http://evil.example");
        using var answer = await AskAsync(page);

        Assert.Equal("origin_forbidden", await Problems.CodeOfAsync(HttpStatusCode.Forbidden, refused));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var ticket = (string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["ticket"]!;
        Assert.Equal(401, (int)(await gateway.HandshakeAsync($"/ws?ticket={ticket}")).StatusCode);
        using var socket = await OpenAsync(node, ticket, page);
        Assert.Equal("alice", (string?)(await WelcomeAsync(socket))["user"]);
    }

    [Fact]
    public async Task A_ticket_is_no_token_and_a_token_is_no_ticket()
    {
        await using var node = await StartAsync(PublicAddress);
        var (_, ticket) = await TicketAsync(node, "alice");
        using var http = new HttpClient { BaseAddress = node.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", ticket);

        using var sent = await http.PostAsJsonAsync("/api/rooms/lobby/messages", new { content = "x", nonce = "n" });
        using var again = await http.PostAsync("/api/socket-tickets", null);

        Assert.Equal(HttpStatusCode.Unauthorized, sent.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
        Assert.Equal(401, await RefusalOfAsync(node, ConnectionNode.Token("alice")));
        await Assert.ThrowsAnyAsync<WebSocketException>(() => TestSocket.OpenAsync(node.Address, ticket));
    }

    [Fact]
    public async Task A_ticket_is_for_the_node_that_gave_it()
    {
        await using var node = await StartAsync(PublicAddress);
        await using var other = await StartAsync(PublicAddress);
        var (_, ticket) = await TicketAsync(node, "alice");

        Assert.Equal(401, await RefusalOfAsync(other, ticket));
        using var socket = await OpenAsync(node, ticket);
        await WelcomeAsync(socket);
    }

    [Theory]
    [InlineData(null, null, 0)]
    [InlineData("https://chat.example", "https://chat.example", 0)]
    [InlineData("https://app.example", "https://app.example", 0)]
    [InlineData("https://chat.example", "https://evil.example", 403)]
    [InlineData(null, "https://evil.example", 403)]
    [InlineData("https://chat.example", null, 403)]
    public async Task A_socket_comes_from_the_page_that_its_ticket_was_given_to(string? asking, string? opening, int refusal)
    {
        await using var node = await StartAsync(PublicAddress, "Sockets:AllowedOrigins:0=https://app.example");
        var (_, ticket) = await TicketAsync(node, "alice", asking);

        if (refusal > 0)
        {
            Assert.Equal(refusal, await RefusalOfAsync(node, ticket, opening));
            return;
        }
        using var socket = await OpenAsync(node, ticket, opening);
        await WelcomeAsync(socket);
    }

    [Fact]
    public async Task A_page_of_another_origin_gets_no_ticket()
    {
        await using var node = await StartAsync(PublicAddress);

        using var answer = await AskAsync(node, "alice", "https://evil.example");

        await Problems.AssertAsync(HttpStatusCode.Forbidden, answer);
    }

    [Fact]
    public async Task A_node_that_is_stopping_gives_no_tickets()
    {
        await using var node = await StartAsync(PublicAddress);
        node.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        using var answer = await AskAsync(node, "alice", null);

        await Problems.AssertAsync(HttpStatusCode.ServiceUnavailable, answer);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("Sockets:PublicAddress=node-1.example", "Sockets:PublicAddress must be")]
    [InlineData("Sockets:PublicAddress=https://node-1.example", "Sockets:PublicAddress must be")]
    [InlineData("Sockets:PublicAddress=wss://node-1.example?x=1", "Sockets:PublicAddress must be")]
    [InlineData("Sockets:TicketLifetime=01:00:00", "Sockets:TicketLifetime")]
    [InlineData("Sockets:AllowedOrigins:0=chat.example", "Sockets:AllowedOrigins must be")]
    public async Task A_fault_stops_the_start_and_names_the_key(string setting, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(setting));

        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    private Task<ConnectionNode> StartAsync(params string[] settings) =>
        ConnectionNode.StartAsync(fixture.Server.ConnectionString, settings);

    private static async Task<HttpResponseMessage> AskAsync(ConnectionNode node, string user, string? origin)
    {
        using var http = node.HttpClient(user);
        // As the gateway at https://chat.example passes it on.
        http.DefaultRequestHeaders.Add("X-Forwarded-Host", "chat.example");
        if (origin is not null)
        {
            http.DefaultRequestHeaders.Add("Origin", origin);
        }

        return await http.PostAsync("/api/socket-tickets", null);
    }

    private static async Task<(string Url, string Ticket)> TicketAsync(ConnectionNode node, string user, string? origin = null)
    {
        using var answer = await AskAsync(node, user, origin);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var ticket = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
        Assert.InRange(
            DateTimeOffset.Parse((string)ticket["expires"]!) - TimeProvider.System.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromSeconds(30));
        return ((string)ticket["url"]!, (string)ticket["ticket"]!);
    }

    private static async Task<ClientWebSocket> OpenAsync(ConnectionNode node, string ticket, string? origin = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        if (origin is not null)
        {
            socket.Options.SetRequestHeader("Origin", origin);
        }

        try
        {
            await socket.ConnectAsync(
                new UriBuilder(node.Address) { Scheme = "ws", Path = "/ws", Query = "ticket=" + ticket }.Uri, CancellationToken.None);
            return socket;
        }
        catch (WebSocketException e)
        {
            e.Data["status"] = (int)socket.HttpStatusCode;
            socket.Dispose();
            throw;
        }
    }

    private static async Task<int> RefusalOfAsync(ConnectionNode node, string ticket, string? origin = null) =>
        (int)(await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync(node, ticket, origin))).Data["status"]!;

    private static async Task<JsonNode> WelcomeAsync(ClientWebSocket socket)
    {
        var buffer = new byte[4096];
        var welcome = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
        return JsonNode.Parse(Encoding.UTF8.GetString(buffer, 0, welcome.Count))!;
    }
}
