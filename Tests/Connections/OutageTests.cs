using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using AspireChat.Tests.Log;
using AspireChat.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace AspireChat.Tests.Connections;

/// <summary>Redis or its pub/sub goes away under connected clients.</summary>
[Trait("Needs", "Redis")]
public sealed class OutageTests
{
    [Fact]
    public async Task What_is_published_while_pubsub_is_down_arrives_all_the_same()
    {
        await using var server = await StartRedisAsync();
        await using var one = await ConnectionNode.StartAsync(server.ConnectionString, "Sockets:EventBurst=100000");
        await using var other = await ConnectionNode.StartAsync(server.ConnectionString);
        await using var alice = await one.ConnectAsync("alice");
        await using var bob = await other.ConnectAsync("bob");
        await alice.JoinAsync("cut");
        await bob.JoinAsync("cut");
        await using var redis = await server.ConnectAsync();
        for (var i = 1; i <= 200; i++)
        {
            await alice.SayAsync("cut", $"m{i}");
            if (i % 20 == 10)
            {
                await redis.GetDatabase().ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");
            }
        }
        foreach (var socket in new[] { alice, bob })
        {
            for (var seq = 1; seq <= 200; seq++)
            {
                Assert.Equal(seq, (long)(await socket.ExpectAsync("room"))["seq"]!);
            }
        }
    }

    [Fact]
    public async Task A_lost_last_message_is_found_by_comparing_heads()
    {
        await using var server = await StartRedisAsync();
        await using var node = await ConnectionNode.StartAsync(server.ConnectionString);
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("lost");
        await using var redis = await server.ConnectAsync();
        // Into the log as append.lua does it, but without the publish.
        var key = ConversationKey.Room("lost");
        await redis.GetDatabase().StreamAddAsync(RedisKeys.Tail(key),
            TailFields.Record, LogRecordCodec.Encode(LogFixture.Message(key, "bob", "n", "unheard")), "1-0");
        await redis.GetDatabase().HashSetAsync(RedisKeys.Conversation(key), ConversationFields.Head, 1);
        Assert.Equal("unheard", (string?)(await alice.ExpectAsync("room"))["content"]);
    }

    [Fact]
    public async Task Without_Redis_sends_are_unavailable_and_afterwards_nothing_acknowledged_is_missing()
    {
        await using var server = await StartRedisAsync();
        await using var node = await ConnectionNode.StartAsync(server.ConnectionString, "Log:Deadline=00:00:00.300",
            "Sockets:EventBurst=100000");
        await using var alice = await node.ConnectAsync("alice");
        await using var bob = await node.ConnectAsync("bob");
        await alice.JoinAsync("outage");
        await bob.JoinAsync("outage");
        await alice.SayAsync("outage", "before", "n0");
        await server.KillAsync();
        await alice.SendAsync(new { type = "room", room = "outage", content = "during", nonce = "n1" });
        var error = await alice.ExpectAsync("error");
        Assert.Equal(("unavailable", "n1"), ((string?)error["code"], (string?)error["nonce"]));
        Assert.True((int)error["retryAfter"]! > 0);
        await alice.SettleAsync();
        await bob.SendAsync(new { type = "join", room = "another", @ref = "j" });
        Assert.Equal(("unavailable", "j"), await RefusedAsync(bob));

        await server.InitializeAsync();
        while (true)
        {
            await alice.SendAsync(new { type = "room", room = "outage", content = "during", nonce = "n1" });
            var answer = await alice.ExpectAnyAsync("ack", "error");
            if ((string?)answer["type"] == "ack")
            {
                break;
            }
        }
        Assert.Equal("before", (string?)(await bob.ExpectAsync("room"))["content"]);
        Assert.Equal("during", (string?)(await bob.ExpectAsync("room"))["content"]);
        Assert.Equal("another", (string?)(await bob.JoinAsync("another"))["room"]);
        await alice.SayAsync("outage", "after");
        Assert.Equal("after", (string?)(await bob.ExpectAsync("room"))["content"]);
    }

    [Fact]
    public async Task A_replica_that_does_not_hear_itself_is_not_ready()
    {
        await using var server = await StartRedisAsync();
        await using var node = await ConnectionNode.StartAsync(
            server.ConnectionString, "Subscriptions:ProbeInterval=00:00:00.100", "Subscriptions:ProbeTimeout=00:00:00.500");
        var health = node.Services.GetRequiredService<HealthCheckService>();
        async Task UntilAsync(HealthStatus status)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while ((await health.CheckHealthAsync(check => check.Name == "subscription", patience.Token)).Status != status)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
            }
        }
        await UntilAsync(HealthStatus.Healthy);
        await server.SuspendAsync();
        await UntilAsync(HealthStatus.Unhealthy);
        await server.ResumeAsync();
        await UntilAsync(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_rebuilt_log_is_told_and_goes_on()
    {
        await using var server = await StartRedisAsync();
        await using var node = await ConnectionNode.StartAsync(server.ConnectionString);
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("wiped");
        await alice.SayAsync("wiped", "old");
        await using var redis = await server.ConnectAsync();
        await redis.GetDatabase().ExecuteAsync("FLUSHALL");
        await OpenAsync(redis.GetDatabase(), "e2");
        var resumed = await alice.ExpectAsync("resumed");
        Assert.Equal((0, 0, false, "e2"),
            ((long)resumed["seq"]!, (long)resumed["head"]!, (bool)resumed["complete"]!, (string?)resumed["epoch"]));
        Assert.Equal("e2", (string?)(await alice.SayAsync("wiped", "new"))["epoch"]);
        Assert.Equal("new", (string?)(await alice.ExpectAsync("room", frame => (string?)frame["content"] != "old"))["content"]);
        Assert.True(await redis.GetDatabase().HashExistsAsync(RedisKeys.Members(ConversationKey.Room("wiped")), "alice"),
            "the membership is gone");
    }

    private static async Task<RedisServer> StartRedisAsync()
    {
        var server = await RedisServer.StartAsync();
        await using var redis = await server.ConnectAsync();
        await OpenAsync(redis.GetDatabase(), LogFixture.Epoch);
        return server;
    }

    private static async Task OpenAsync(IDatabase database, string epoch)
    {
        for (var partition = 0; partition < LogPartitions.Count; partition++)
        {
            await database.StringSetAsync(RedisKeys.Epoch(partition), epoch);
        }
    }

    private static async Task<(string?, string?)> RefusedAsync(TestSocket socket)
    {
        var error = await socket.ExpectAsync("error");
        return ((string?)error["code"], (string?)error["ref"]);
    }
}
