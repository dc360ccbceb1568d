using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AspireChat.Tests.Connections;
using AspireChat.Tests.Log;
using AspireChat.Tests.ServiceDefaults;
using AspireChat.Tests.Webhooks;
using Microsoft.AspNetCore.Http;
using StandardWebhooks;

namespace AspireChat.Tests.Hooks;

[Trait("Needs", "Redis")]
public sealed class BeforeSendTests(LogFixture redis) : IClassFixture<LogFixture>
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Fact]
    public async Task The_hook_is_asked_with_the_event_and_allows_denies_or_replaces_it()
    {
        await using var server = await HookServer.StartAsync((call, context) => AnswerAsync(context, (string?)call.Json["content"] switch
        {
            "bad" => """{"allow":false,"reason":"mind your words"}""",
            "replace" => """{"allow":true,"content":"replaced","meta":{"by":"the hook"}}""",
            _ => """{"allow":true}""",
        }));
        await using var node = await StartAsync(server);
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("hook-basics");

        await alice.SayAsync("hook-basics", "good", "n1");
        await alice.SendAsync(new { type = "room", room = "hook-basics", content = "bad", nonce = "n2" });
        var error = await alice.ExpectAsync("error");
        Assert.Equal(("forbidden", "mind your words", "n2"), ((string?)error["code"], (string?)error["message"], (string?)error["nonce"]));
        await alice.SendAsync(new { type = "room", room = "hook-basics", content = "replace", meta = new { kept = 1 }, nonce = "n3" });
        await alice.ExpectAsync("ack", frame => (string?)frame["nonce"] == "n3");
        await alice.SendAsync(new { type = "edit", room = "hook-basics", target = 1, content = "replace", nonce = "n4" });
        await alice.ExpectAsync("ack", frame => (string?)frame["nonce"] == "n4");
        await alice.SendAsync(new { type = "dm", to = "bob", content = "psst", nonce = "n5" });
        await alice.ExpectAsync("ack", frame => (string?)frame["nonce"] == "n5");
        // Nobody is asked for these.
        await alice.SendAsync(new { type = "react", room = "hook-basics", target = 1, emoji = "👍", nonce = "n6" });
        await alice.SendAsync(new { type = "delete", room = "hook-basics", target = 2, nonce = "n7" });
        await alice.ExpectAsync("ack", frame => (string?)frame["nonce"] == "n7");

        Assert.Equal("good", await ContentAsync(alice, "room", 1));
        var replaced = await alice.ExpectAsync("room", frame => (long)frame["seq"]! == 2);
        Assert.Equal(("replaced", """{"by":"the hook"}"""), ((string?)replaced["content"], replaced["meta"]?.ToJsonString()));
        Assert.Equal("replaced", await ContentAsync(alice, "edit", 3));
        Assert.Equal(["n1", "n2", "n3", "n4", "n5"], server.Calls.Select(call => (string?)call.Json["nonce"]));
        Assert.All(server.Calls, call => new StandardWebhook(Secret).Verify(call.Body, call.Headers));
        var edit = server.Calls[3].Json;
        Assert.Equal(("edit", "alice", "hook-basics", 1L), ((string?)edit["type"], (string?)edit["from"], (string?)edit["room"], (long)edit["target"]!));
        Assert.Equal("bob", (string?)server.Calls[4].Json["to"]);
        Assert.Null(edit["seq"]);
    }

    [Theory]
    [InlineData("allow", true)]
    [InlineData("deny", false)]
    public async Task Without_an_answer_in_time_the_setting_counts_and_soon_nothing_waits(string whenDown, bool allows)
    {
        await using var server = await HookServer.StartAsync(async (_, context) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 0;
        });
        await using var node = await StartAsync(server, $"Hooks:BeforeSend:WhenDown={whenDown}", "Hooks:BeforeSend:Timeout=00:00:00.2");
        await using var alice = await node.ConnectAsync("alice");
        var room = $"hook-down-{whenDown}";
        await alice.JoinAsync(room);
        for (var i = 0; i < 30; i++)
        {
            await alice.SendAsync(new { type = "room", room, content = "hi", nonce = $"n{i}" });
            var answer = await alice.ExpectAnyAsync("ack", "error");
            Assert.Equal((allows ? "ack" : "error", $"n{i}"), ((string?)answer["type"], (string?)answer["nonce"]));
            Assert.True(allows || (string?)answer["code"] == "forbidden");
        }

        // The breaker opens after ten failures.
        Assert.InRange(server.Calls.Count, 10, 20);
    }

    [Theory]
    [InlineData(500, "")]
    [InlineData(302, "")]
    [InlineData(204, "")]
    [InlineData(200, "no JSON")]
    [InlineData(200, """{"allow":"yes"}""")]
    [InlineData(200, """{"allow":true,"content":""}""")]
    [InlineData(200, """{"allow":true,"content":"a\u0000b"}""")]
    [InlineData(200, """{"allow":true,"content":"\ud800"}""")]
    [InlineData(200, """{"allow":true,"meta":[1]}""")]
    [InlineData(200, "long")]
    public async Task An_answer_that_is_none_counts_as_down(int status, string body)
    {
        await using var server = await HookServer.StartAsync(async (_, context) =>
        {
            context.Response.StatusCode = status;
            if (body == "long")
            {
                await context.Response.WriteAsync("{\"allow\":true,\"reason\":\"" + new string('x', 200_000) + "\"}");
            }
            else if (status != 204)
            {
                await context.Response.WriteAsync(body);
            }

            return 0;
        });
        await using var node = await StartAsync(server, "Hooks:BeforeSend:WhenDown=deny");
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("hook-garbage");
        await alice.SendAsync(new { type = "room", room = "hook-garbage", content = "hi", nonce = Guid.NewGuid().ToString("N") });
        Assert.Equal("forbidden", (string?)(await alice.ExpectAnyAsync("ack", "error"))["code"]);
    }

    [Fact]
    public async Task A_slow_hook_keeps_the_order_of_a_connection_and_delays_no_other()
    {
        using var slow = new SemaphoreSlim(0);
        await using var server = await HookServer.StartAsync(async (call, context) =>
        {
            if ((string?)call.Json["from"] == "alice")
            {
                await slow.WaitAsync(context.RequestAborted);
            }

            return await AnswerAsync(context, """{"allow":true}""");
        });
        await using var node = await StartAsync(server, "Hooks:BeforeSend:Timeout=00:00:20");
        await using var alice = await node.ConnectAsync("alice");
        await using var bob = await node.ConnectAsync("bob");
        await alice.JoinAsync("hook-order");
        await bob.JoinAsync("hook-order");
        for (var i = 0; i < 20; i++)
        {
            await alice.SendAsync(new { type = i % 5 == 4 ? "react" : "room", room = "hook-order", content = $"{i}", nonce = $"n{i}", target = 1, emoji = "x" });
        }

        // Alice's first event is being checked, and nothing behind it was read.
        await Eventually.IsTrueAsync(() => server.Calls.Count == 1, "the hook is asked");
        Assert.Equal(1, (long)(await bob.SayAsync("hook-order", "me first"))["seq"]!);
        Assert.Single(server.Calls, call => (string?)call.Json["from"] == "alice");

        slow.Release(20);
        var seqs = new List<long>();
        for (var i = 0; i < 20; i++)
        {
            seqs.Add((long)(await alice.ExpectAsync("ack", frame => (string?)frame["nonce"] == $"n{i}"))["seq"]!);
        }
        Assert.Equal(Enumerable.Range(2, 20).Select(i => (long)i), seqs);
    }

    [Fact]
    public async Task A_repeat_of_an_accepted_nonce_is_not_asked_again()
    {
        await using var server = await HookServer.StartAsync((_, context) => AnswerAsync(context, """{"allow":true}"""));
        await using var node = await StartAsync(server);
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("hook-repeat");
        var first = await alice.SayAsync("hook-repeat", "hi", "once");
        var again = await alice.SayAsync("hook-repeat", "hi", "once");
        Assert.Equal(((long)first["seq"]!, true), ((long)again["seq"]!, (bool)again["duplicate"]!));
        Assert.Single(server.Calls);
    }

    [Fact]
    public async Task The_hook_is_asked_for_what_comes_over_HTTP_too()
    {
        await using var server = await HookServer.StartAsync((call, context) => AnswerAsync(context, (string?)call.Json["content"] == "bad"
            ? """{"allow":false,"reason":"mind your words"}"""
            : """{"allow":true,"content":"replaced"}"""));
        await using var node = await StartAsync(server);
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("hook-http");
        using var http = node.HttpClient("alice");

        using var denied = await http.PostAsJsonAsync("/api/rooms/hook-http/messages", new { content = "bad", nonce = "n1" });
        Assert.Equal(HttpStatusCode.Forbidden, denied.StatusCode);
        var problem = JsonNode.Parse(await denied.Content.ReadAsStringAsync())!;
        Assert.Equal(("mind your words", "forbidden"), ((string?)problem["detail"], (string?)problem["code"]));
        using var sent = await http.PostAsJsonAsync("/api/rooms/hook-http/messages", new { content = "good", nonce = "n2" });
        Assert.Equal(HttpStatusCode.Created, sent.StatusCode);
        Assert.Equal("replaced", await ContentAsync(alice, "room", 1));
    }

    [Fact]
    public async Task More_than_the_hook_can_be_asked_at_a_time_is_unavailable_and_never_passed()
    {
        await using var server = await HookServer.StartAsync(async (_, context) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 0;
        });
        await using var node = await StartAsync(
            server, "Hooks:BeforeSend:InFlight=1", "Hooks:BeforeSend:Timeout=00:00:30", "Hooks:BeforeSend:Patience=00:00:00.2");
        await using var alice = await node.ConnectAsync("alice");
        await using var bob = await node.ConnectAsync("bob");
        await alice.JoinAsync("hook-full");
        await bob.JoinAsync("hook-full");
        await alice.SendAsync(new { type = "room", room = "hook-full", content = "hi", nonce = "n1" });
        await Eventually.IsTrueAsync(() => server.Calls.Count == 1, "the hook is asked");
        await bob.SendAsync(new { type = "room", room = "hook-full", content = "hi", nonce = "n1" });
        var error = await bob.ExpectAsync("error");
        Assert.Equal(("unavailable", 1_000), ((string?)error["code"], (int)error["retryAfter"]!));
    }

    private Task<ConnectionNode> StartAsync(HookServer server, params string[] settings) => ConnectionNode.StartAsync(
        redis.Server.ConnectionString, [$"Hooks:BeforeSend:Url={server.Url}", $"Hooks:BeforeSend:Secret={Secret}", .. settings]);

    private static async Task<int> AnswerAsync(HttpContext context, string body)
    {
        await context.Response.WriteAsync(body);
        return 0;
    }

    private static async Task<string?> ContentAsync(TestSocket socket, string type, long seq) =>
        (string?)(await socket.ExpectAsync(type, frame => (long)frame["seq"]! == seq))["content"];
}
