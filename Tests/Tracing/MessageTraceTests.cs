using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using AspireChat.Contracts.Conversations;
using AspireChat.Tests.Connections;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Tracing;

/// <summary>The traces that the services export and the dashboard shows.</summary>
[Collection(TracingCollection.Name)]
[Trait("Needs", "PostgreSQL")]
public sealed class MessageTraceTests(SharedTracedSystem shared) : IClassFixture<SharedTracedSystem>
{
    private const string Secret = "the-content-of-this-test";

    private readonly TracedSystem _system = shared.System;

    [Fact]
    public async Task A_message_is_one_trace_from_its_socket_to_the_commit_and_to_every_node()
    {
        var room = ConversationKey.Room("traced");
        await using var alice = await TestSocket.ConnectAsync(_system.Nodes[0], TestTokens.For("alice"));
        await using var bob = await TestSocket.ConnectAsync(_system.Nodes[1], TestTokens.For("bob"));
        await alice.JoinAsync("traced");
        await bob.JoinAsync("traced");
        await alice.SayAsync("traced", Secret);
        await bob.ExpectAsync("room");
        await _system.World.DurableAsync(room, 1);

        await Eventually.IsTrueAsync(
            () => _system.Receiver.SpansOf(room).Count(span => span.Name is "fan-out" or "commit") == 3, "all spans are exported");
        var spans = _system.Receiver.SpansOf(room);
        var send = Assert.Single(spans, span => span.Name == "send room");
        Assert.Equal("", send.Parent);
        var trace = spans.Where(span => span.Trace == send.Trace).ToList();
        Assert.Equal(
            ["append", "commit", "fan-out", "fan-out"],
            trace.Where(span => span.Parent == send.Id).Select(span => span.Name).Order(StringComparer.Ordinal));
        // The SQL spans are children of the commit.
        var commit = trace.Single(span => span.Name == "commit");
        Assert.Contains(trace, span => span.Source == "Npgsql" && span.Parent == commit.Id);
        var append = trace.Single(span => span.Name == "append");
        foreach (var tag in new[] { "partition", "append.call", "append.waited_ms", "append.call_ms" })
        {
            Assert.Contains("aspirechat." + tag, append.Text, StringComparison.Ordinal);
        }

        Assert.Contains("r:traced", send.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_that_share_a_transaction_each_have_the_commit_in_their_own_trace()
    {
        var room = ConversationKey.Room("batch");
        await using var alice = await TestSocket.ConnectAsync(_system.Nodes[0], TestTokens.For("alice"));
        await alice.JoinAsync("batch");
        await using (await _system.World.HoldCommitsAsync())
        {
            // The first message is held in its transaction, and the others wait for the next one.
            for (var i = 1; i <= 5; i++)
            {
                await alice.SayAsync("batch", Secret);
            }
        }
        await _system.World.DurableAsync(room, 5);

        await Eventually.IsTrueAsync(() => _system.Receiver.SpansOf(room).Count(span => span.Name == "commit") == 5, "all spans are exported");
        var spans = _system.Receiver.SpansOf(room);
        var commits = spans.Where(span => span.Name == "commit").ToList();
        Assert.Equal(
            spans.Where(span => span.Name == "send room").Select(span => span.Trace).Order(StringComparer.Ordinal),
            commits.Select(span => span.Trace).Order(StringComparer.Ordinal));
        foreach (var commit in commits.Where(commit => !spans.Any(span => span.Source == "Npgsql" && span.Parent == commit.Id)))
        {
            var transaction = Assert.Single(commits, each => commit.Links.Contains(each.Id));
            Assert.Contains(spans, span => span.Source == "Npgsql" && span.Parent == transaction.Id);
            Assert.Contains(spans.Single(span => span.Trace == commit.Trace && span.Name == "send room").Id, transaction.Links);
        }
    }

    [Fact]
    public async Task A_message_sent_by_HTTP_is_part_of_its_requests_trace()
    {
        var room = ConversationKey.Room("by-http");
        await using var alice = await TestSocket.ConnectAsync(_system.Nodes[0], TestTokens.For("alice"));
        await alice.JoinAsync("by-http");
        using var http = Http(_system.Gateway, "alice");
        using var answer = await http.PostAsJsonAsync("/api/rooms/by-http/messages", new { content = Secret, nonce = "n1" });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);

        await Eventually.IsTrueAsync(
            () => _system.Receiver.SpansOf(room).FirstOrDefault(span => span.Name == "send room") is { } send
                && _system.Receiver.SpansOf(room).Any(span => span.Id == send.Parent && span.Kind == ExportedSpan.Server),
            "the request is the message's parent");
    }

    [Fact]
    public async Task No_token_and_no_content_is_in_any_span_log_or_metric_though_URLs_are_not_redacted()
    {
        var room = ConversationKey.Room("secrets");
        var token = TestTokens.For("alice");
        await using var alice = await TestSocket.ConnectAsync(_system.Nodes[0], token);
        await using var browser = await BrowserAsync(_system.Gateway, token);
        await alice.JoinAsync("secrets");
        var sent = await alice.SayAsync("secrets", Secret, "nonce-of-this-test");
        await alice.SendAsync(new { type = "edit", room = "secrets", target = (long)sent["seq"]!, content = Secret + "-2", nonce = "e1" });
        await alice.SendAsync(new { type = "dm", to = "bob", content = Secret, nonce = "d1" });
        await alice.SendTextAsync($$"""{"type":"{{Secret}}","token":"{{token}}"}""");
        await alice.SendAsync(new { type = "auth", token });
        using var http = Http(_system.Gateway, "alice");
        foreach (var target in new[] { "/api/rooms/secrets/messages?limit=1", "/api/presence?users=bob", "/nothing?a=1", "/dev/token?user=bob" })
        {
            (await http.GetAsync($"{target}&token={token}")).Dispose();
        }

        (await http.PostAsJsonAsync("/api/rooms/secrets/messages", new { content = Secret, nonce = "h1" })).Dispose();
        (await http.PostAsJsonAsync("/api/rooms/secrets/messages?token=" + token, Secret)).Dispose();
        await _system.World.DurableAsync(room, 3);

        await Eventually.IsTrueAsync(
            () => _system.Receiver.SpansOf(room).Count(span => span.Name == "commit") >= 3 && _system.Receiver.BytesOf("logs") > 0
                && _system.Receiver.BytesOf("metrics") > 0 && _system.Receiver.Contains("/api/rooms/secrets/messages"),
            "all three signals are exported");
        Assert.False(_system.Receiver.Contains(Secret), "content is exported");
        Assert.False(_system.Receiver.Contains(TestTokens.SignatureOf(token)), "a token is exported");
        Assert.False(_system.Receiver.Contains("nonce-of-this-test"), "a nonce is exported");
    }

    internal static HttpClient Http(Uri address, string user)
    {
        // The request comes without trace headers. The client of this process would mark it as part of a trace that is not recorded.
        var http = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", TestTokens.For(user));
        return http;
    }

    /// <summary>A socket opened as by a browser, with its token in the query.</summary>
    private static async Task<IAsyncDisposable> BrowserAsync(Uri gateway, string token)
    {
        var socket = new System.Net.WebSockets.ClientWebSocket();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await socket.ConnectAsync(new Uri($"ws://{gateway.Authority}/ws?token={token}"), patience.Token);
        return new Browser(socket);
    }

    private sealed class Browser(System.Net.WebSockets.ClientWebSocket socket) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            socket.Abort();
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
