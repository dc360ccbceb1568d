using System.Net;
using AspireChat.Contracts.Conversations;
using AspireChat.Tests.Connections;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Tracing;

/// <summary>
/// Activities that make no trace. The class stands alone, because the sampler of another system in this process would make spans.
/// </summary>
[Collection(TracingCollection.Name)]
[Trait("Needs", "PostgreSQL")]
public sealed class QuietTests
{
    [Fact]
    public async Task Polling_health_checks_probes_and_sockets_make_no_trace()
    {
        await using var system = await TracedSystem.StartAsync();
        await using var alice = await TestSocket.ConnectAsync(system.Nodes[0], TestTokens.For("alice"));
        await alice.JoinAsync("quiet");
        await alice.SayAsync("quiet", "hello");
        await system.World.DurableAsync(ConversationKey.Room("quiet"), 1);
        using var http = MessageTraceTests.Http(system.Gateway, "alice");
        foreach (var node in system.Nodes)
        {
            (await http.GetAsync(new Uri(node, "/health"))).EnsureSuccessStatusCode();
        }
        // Every loop of the services runs at least once in this time.
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, CancellationToken.None);
        Assert.Empty(system.Receiver.Spans());

        using var answer = await http.GetAsync("/api/conversations");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Eventually.IsTrueAsync(
            () => system.Receiver.Spans() is var made && made.Any(span => span.Source == "Npgsql") && made.Any(span => span.Parent == ""), "a request is traced down to its SQL");
        var spans = system.Receiver.Spans();
        Assert.Single(spans, span => span.Parent == "");
        Assert.Single(spans.Select(span => span.Trace).Distinct());
    }
}
