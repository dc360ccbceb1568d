using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AspireChat.Tests.Connections;
using AspireChat.Tests.Log;

namespace AspireChat.Tests.Rooms;

/// <summary>What the server writes is a message like any other.</summary>
[Trait("Needs", "Redis")]
public sealed class ServerMessageTests(LogFixture fixture) : IClassFixture<LogFixture>, IAsyncLifetime
{
    private const string Meta = """{"attachments":[{"url":"https://example.org/a.png","size":1.50}]}""";

    private readonly string _room = $"room-{Guid.NewGuid():N}";
    private readonly string _bob = $"bob-{Guid.NewGuid():N}";
    private readonly string _news = $"news-{Guid.NewGuid():N}";
    private ConnectionNode _node = null!;
    private TestSocket _socket = null!;
    private HttpClient _server = null!;

    private string[] Addresses => [$"/api/admin/rooms/{_room}/messages", $"/api/admin/dms/{_bob}/messages"];

    public async Task InitializeAsync()
    {
        _node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        _socket = await _node.ConnectAsync(_bob);
        await _socket.JoinAsync(_room);
        _server = _node.HttpClient("backend", "chat:admin");
    }

    public async Task DisposeAsync()
    {
        _server.Dispose();
        await _socket.DisposeAsync();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task It_carries_what_was_sent_and_how_its_sender_is_shown()
    {
        using var named = await _server.PutAsJsonAsync($"/api/admin/users/{_news}", new { name = "The News" });
        Assert.Equal(HttpStatusCode.OK, named.StatusCode);

        foreach (var (address, type) in Addresses.Zip(["room", "dm"]))
        {
            await SendAsync(address, $$"""{"content":"first","nonce":"n1","from":"{{_news}}"}""", HttpStatusCode.Created);
            var first = await _socket.ExpectAsync(type);
            await SendAsync(
                address, $$"""{"content":"@bob","nonce":"n2","from":"{{_news}}","replyTo":1,"mentions":["bob"],"meta":{{Meta}}}""", HttpStatusCode.Created);
            var second = await _socket.ExpectAsync(type);

            Assert.Equal(("The News", "The News"), ((string?)first["name"], (string?)second["name"]));
            Assert.Equal((1, "@bob"), ((int?)second["replyTo"], (string?)second["content"]));
            Assert.Equal(["bob"], second["mentions"]!.AsArray().Select(user => (string?)user));
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Meta), second["meta"]), second.ToJsonString());
        }
    }

    [Fact]
    public async Task A_reply_to_what_is_not_there_is_answered_404()
    {
        foreach (var address in Addresses)
        {
            var refused = await SendAsync(
                address, $$"""{"content":"x","nonce":"n1","from":"{{_news}}","replyTo":1}""", HttpStatusCode.NotFound);
            Assert.Equal("not_found", (string?)refused["code"]);
        }

        Assert.DoesNotContain(await _socket.SettleAsync(), frame => (string?)frame["type"] is "room" or "dm");
    }

    [Fact]
    public async Task A_body_is_read_no_further_than_a_frame_may_be_long()
    {
        foreach (var address in Addresses)
        {
            var body = $$"""{"content":"x","nonce":"n1","ignored":"{{new string('x', 33_000)}}"}""";
            var refused = await SendAsync(address, body, HttpStatusCode.RequestEntityTooLarge);
            Assert.Equal("too_large", (string?)refused["code"]);
        }
    }

    [Fact]
    public async Task A_sender_that_is_no_user_id_is_answered_400()
    {
        foreach (var address in Addresses)
        {
            foreach (var from in (string[])["\"no user\"", "\"\"", "7", "\"\\ud800\""])
            {
                await SendAsync(address, $$"""{"content":"x","nonce":"n1","from":{{from}}}""", HttpStatusCode.BadRequest);
            }
        }
    }

    private async Task<JsonNode> SendAsync(string address, string body, HttpStatusCode expected)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _server.PostAsync(address, content);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{address}: {answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }
}
