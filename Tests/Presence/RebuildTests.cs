using System.Text.Json.Nodes;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using AspireChat.Servers;
using AspireChat.Tests.Servers;
using AspireChat.Tests.ServiceDefaults;
using StackExchange.Redis;

namespace AspireChat.Tests.Presence;

/// <summary>The reporter and the service together, over HTTP with internal tokens and in real time.</summary>
[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class RebuildTests(RedisServer server)
{
    [Fact]
    public async Task Presence_survives_a_wiped_Redis_and_a_restarted_service_without_reconnects()
    {
        await using var own = await RedisServer.StartAsync();
        await using var redis = await own.ConnectAsync();
        var presence = await RunningPresence.StartAsync(own, Ports.Free());
        var port = new Uri(presence.Address).Port;
        var (host, reporter) = await RunningPresence.StartReplicaAsync(presence.Address);
        reporter.ConnectionOpened("alice");
        reporter.MembershipChanged("lobby", "alice", true);
        await Eventually.IsTrueAsync(() => IsInLobbyAsync("alice"), "alice is online in the lobby");
        var told = new List<string>();
        await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisChannels.Room("lobby")), (_, payload) =>
        {
            lock (told)
            {
                told.Add((string)payload!);
            }
        });

        await own.WipeAsync();
        await Eventually.IsTrueAsync(() => IsInLobbyAsync("alice"), "after the wipe alice is online in the lobby again");

        await presence.DisposeAsync();
        // As the log has it: the partitions are open while the service starts.
        var database = redis.GetDatabase();
        foreach (var user in (string[])["alice", "bob"])
        {
            await database.HashSetAsync(RedisKeys.Members(ConversationKey.Room("lobby")), user, 0);
            await database.SetAddAsync(RedisKeys.UserRooms(user), "lobby");
        }

        reporter.ConnectionOpened("bob");
        reporter.MembershipChanged("lobby", "bob", true);
        presence = await RunningPresence.StartAsync(own, port);
        await Eventually.IsTrueAsync(() => IsInLobbyAsync("bob"), "bob, who came while the service was down, is online");
        Assert.True(await presence.IsOnlineAsync("alice"));

        await host.StopAsync();
        await Eventually.IsTrueAsync(async () => !await presence.IsOnlineAsync("alice"), "a replica that stops takes its users offline");
        lock (told)
        {
            Assert.DoesNotContain(told, payload => payload.Contains("\"offline\"") && !payload.Contains("\"count\":0"));
        }

        host.Dispose();
        await presence.DisposeAsync();

        async Task<bool> IsInLobbyAsync(string user)
        {
            try
            {
                return await redis.GetDatabase().SetContainsAsync(RedisKeys.RoomOnline("lobby"), user);
            }
            catch (RedisException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Two_services_and_two_replicas_agree_on_who_is_online_and_rooms_hear_each_change_once()
    {
        await using var redis = await server.ConnectAsync();
        await redis.GetServers()[0].FlushAllDatabasesAsync();
        var told = new List<string>();
        await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisChannels.Room("lobby")), (_, payload) =>
        {
            PubSubMessage.TryRead((byte[])payload!, out var message);
            var frame = JsonNode.Parse(((PubSubMessage.Frame)message!).Json.Span)!;
            lock (told)
            {
                told.AddRange(frame["users"]!.AsArray().Select(user => $"{frame["type"]} {user}"));
            }
        });
        await using var first = await RunningPresence.StartAsync(server);
        await using var second = await RunningPresence.StartAsync(server);
        var (one, alice) = await RunningPresence.StartReplicaAsync(first.Address, second.Address);
        var (two, bob) = await RunningPresence.StartReplicaAsync(second.Address, first.Address);
        for (var i = 0; i < 20; i++)
        {
            var (reporter, user) = i % 2 == 0 ? (alice, $"even{i}") : (bob, $"odd{i}");
            reporter.ConnectionOpened(user);
            reporter.MembershipChanged("lobby", user, true);
        }
        await Eventually.IsTrueAsync(() => Count("online") == 20, "all users are told online");
        Assert.True(await second.IsOnlineAsync("even0"));
        Assert.True(await first.IsOnlineAsync("odd1"));

        // One replica reports that it stops. The other vanishes from the network, and its lease ends.
        await one.StopAsync();
        one.Dispose();
        two.Dispose();
        await Eventually.IsTrueAsync(() => Count("offline") == 20, "all users are told offline");
        lock (told)
        {
            Assert.Equal(40, told.Distinct().Count());
        }

        int Count(string type)
        {
            lock (told)
            {
                return told.Count(line => line.StartsWith(type));
            }
        }
    }
}
