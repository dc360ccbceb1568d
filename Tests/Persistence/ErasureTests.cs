using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.Log;
using AspireChat.Tests.ServiceDefaults;
using StackExchange.Redis;

namespace AspireChat.Tests.Persistence;

/// <summary>A user who is erased leaves no byte of what they wrote; others keep theirs.</summary>
[Trait("Needs", "System")]
public sealed class ErasureTests
{
    private const string Secret = "what alice whispered";

    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ConversationKey Direct = ConversationKey.Direct("alice", "bob");

    [Fact]
    public async Task No_byte_of_what_the_user_wrote_is_left_and_the_line_of_seqs_stays_dense()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        await WriteAsync(world, log);

        var erasure = await EraseAsync(service, "alice");

        // Two messages and an edit in the room, a direct message.
        Assert.Equal(4, erasure.GetProperty("erased").GetInt64());
        Assert.Equal(0, await world.QueryAsync<long>($"SELECT count(*) FROM events e WHERE e::text LIKE '%{Secret}%'"));
        Assert.Equal(0, await world.QueryAsync<long>("SELECT count(*) FROM members WHERE member = 'alice'"));
        await Eventually.IsTrueAsync(async () => !await RedisHoldsAsync(world, Secret), "Redis holds nothing of it");
        var items = (await service.GetJsonAsync("/api/rooms/lobby/messages?after=0", "bob")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([1L, 2, 3, 4], items.Select(item => item.GetProperty("seq").GetInt64()));
        Assert.Equal(
            [("", true), ("bob's", false), ("", true), ("", true)],
            items.Select(item => (item.GetProperty("content").GetString(), item.TryGetProperty("deleted", out _))));
        Assert.Equal("from bob", (await service.GetJsonAsync("/api/dms/alice/messages?after=0", "bob")).GetProperty("items")[1]
            .GetProperty("content").GetString());
        Assert.Equal(5, (await log.AppendAsync(PersistenceWorld.Message(Lobby, "bob", "n5", "later"))).Seq);
    }

    [Fact]
    public async Task What_was_not_committed_when_the_order_came_is_erased_too()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        string job;
        await using (await world.HoldCommitsAsync())
        {
            await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n1", Secret));
            job = await OrderAsync(service, "alice");
        }

        await DoneAsync(service, job);

        await world.DurableAsync(Lobby, 1);
        Assert.Equal(("", 1L), (await world.QueryAsync<string>("SELECT content FROM events"), await world.QueryAsync<long>("SELECT deleted FROM events")));
        await Eventually.IsTrueAsync(async () => !await RedisHoldsAsync(world, Secret), "Redis holds nothing of it");
    }

    [Fact]
    public async Task An_order_that_its_replica_left_is_carried_out_by_another()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await using (await world.StartServiceAsync())
        {
            await world.OpenedAsync();
        }

        // As a replica leaves it that died after the first conversation.
        await world.ExecuteAsync(
            "INSERT INTO erasures (id, subject, status, place, erased, asked_at, touched_at) " +
            "VALUES ('00000000-0000-0000-0000-000000000001', 'alice', 0, 'd:', 7, now(), now() - interval '1 minute')");
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();

        var erasure = await DoneAsync(service, "/api/admin/erasures/00000000-0000-0000-0000-000000000001");

        Assert.Equal(7, erasure.GetProperty("erased").GetInt64());
    }

    [Fact]
    public async Task Only_an_administrator_erases_and_exports()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();

        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync(service, HttpMethod.Delete, "/api/admin/users/alice", "")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync(service, HttpMethod.Get, "/api/admin/users/alice/export", "")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(service, HttpMethod.Get, $"/api/admin/erasures/{Guid.Empty}")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await CallAsync(service, HttpMethod.Delete, "/api/admin/users/no%20id")).StatusCode);
    }

    [Fact]
    public async Task An_export_has_everything_that_the_user_sent_and_nothing_that_others_did()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        await using var log = await world.StartLogAsync();
        await WriteAsync(world, log);

        using var answer = await CallAsync(service, HttpMethod.Get, "/api/admin/users/alice/export");

        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType?.MediaType);
        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(
            ["bob", "lobby"],
            lines.Where(line => Is(line, "membership")).Select(line => (line.TryGetProperty("room", out var room) ? room : line.GetProperty("to")).GetString()));
        var events = lines.Where(line => Is(line, "event")).Select(line => line.GetProperty("event")).ToList();
        Assert.Equal(["dm", "room", "room", "edit"], events.Select(e => e.GetProperty("type").GetString()));
        Assert.All(events, e => Assert.Equal("alice", e.GetProperty("from").GetString()));

        static bool Is(JsonElement line, string kind) => line.GetProperty("kind").GetString() == kind;
    }

    private static async Task WriteAsync(PersistenceWorld world, RunningLog log)
    {
        await log.Log.JoinAsync("lobby", "alice", CancellationToken.None);
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n1", Secret));
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "bob", "n2", "bob's"));
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n3", Secret));
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n4", Secret + "!") with { Kind = EventKind.Edit, Target = 1 });
        await log.AppendAsync(PersistenceWorld.Message(Direct, "alice", "n1", Secret));
        await log.AppendAsync(PersistenceWorld.Message(Direct, "bob", "n1", "from bob"));
        await world.DurableAsync(Lobby, 4);
        await world.DurableAsync(Direct, 2);
    }

    private static async Task<JsonElement> EraseAsync(RunningService service, string user) =>
        await DoneAsync(service, await OrderAsync(service, user));

    private static async Task<string> OrderAsync(RunningService service, string user)
    {
        using var answer = await CallAsync(service, HttpMethod.Delete, $"/api/admin/users/{user}");
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return answer.Headers.Location!.OriginalString;
    }

    private static async Task<JsonElement> DoneAsync(RunningService service, string job)
    {
        JsonElement erasure = default;
        await Eventually.IsTrueAsync(
            async () =>
            {
                using var answer = await CallAsync(service, HttpMethod.Get, job);
                erasure = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.Clone();
                return erasure.GetProperty("status").GetString() == "done";
            },
            "the erasure is done");
        return erasure;
    }

    private static async Task<HttpResponseMessage> CallAsync(RunningService service, HttpMethod method, string path, string scope = "chat:admin")
    {
        using var http = new HttpClient { BaseAddress = new Uri(service.Address) };
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", TestTokens.For("root", scope: scope));
        return await http.SendAsync(request);
    }

    /// <summary>Looks into every key.</summary>
    private static async Task<bool> RedisHoldsAsync(PersistenceWorld world, string text)
    {
        foreach (var server in world.Redis.GetServers())
        {
            await foreach (var key in server.KeysAsync())
            {
                IEnumerable<RedisValue> values = await world.Database.KeyTypeAsync(key) switch
                {
                    RedisType.Stream => (await world.Database.StreamRangeAsync(key)).SelectMany(entry => entry.Values).Select(field => field.Value),
                    RedisType.Hash => (await world.Database.HashGetAllAsync(key)).SelectMany(field => new[] { field.Name, field.Value }),
                    RedisType.String => [await world.Database.StringGetAsync(key)],
                    RedisType.Set => await world.Database.SetMembersAsync(key),
                    RedisType.SortedSet => await world.Database.SortedSetRangeByRankAsync(key),
                    _ => [],
                };
                if (values.Any(value => value.ToString().Contains(text, StringComparison.Ordinal)))
                {
                    return true;
                }
            }
        }
        return false;
    }
}
