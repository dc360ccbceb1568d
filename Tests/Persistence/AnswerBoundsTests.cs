using System.Net;
using System.Net.Sockets;
using System.Text;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.ServiceDefaults;
using Npgsql;

namespace AspireChat.Tests.Persistence;

/// <summary>What one user's questions may take of the service.</summary>
[Trait("Needs", "System")]
public sealed class AnswerBoundsTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    [Fact]
    public async Task A_user_has_so_many_calls_running_and_waiting_and_delays_nobody_else()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync(settings =>
        {
            settings["History:DatabaseTimeout"] = "00:00:30";
            settings["Calls:Patience"] = "00:01:00";
            settings["Calls:AnswerTime"] = "00:02:00";
        });
        await world.OpenedAsync();
        await (await world.StartLogAsync()).AppendAsync(PersistenceWorld.Message(ConversationKey.Room("lobby"), "alice", "n"));
        await using var locked = await world.Source.OpenConnectionAsync();
        await using (var begin = new NpgsqlCommand("BEGIN; LOCK TABLE members IN ACCESS EXCLUSIVE MODE", locked))
        {
            await begin.ExecuteNonQueryAsync();
        }

        var calls = Enumerable.Range(0, 20).Select(_ => service.GetAsync("/api/conversations")).ToList();
        var refused = new List<HttpResponseMessage>();
        while (refused.Count < 8)
        {
            var answered = await Task.WhenAny(calls).WaitAsync(TimeSpan.FromSeconds(60));
            calls.Remove(answered);
            refused.Add(await answered);
        }

        Assert.All(refused, answer => Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode));
        Assert.All(refused, answer => Assert.NotNull(answer.Headers.RetryAfter));
        Assert.Contains("rate_limited", await refused[0].Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var bobs = await service.GetAsync("/api/rooms/lobby/messages", "bob");
        Assert.Equal(HttpStatusCode.OK, bobs.StatusCode);
        await using (var end = new NpgsqlCommand("ROLLBACK", locked))
        {
            await end.ExecuteNonQueryAsync();
        }

        Assert.All(await Task.WhenAll(calls), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_page_of_long_messages_ends_early_and_the_pages_together_have_everything(bool fromTail)
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync(settings =>
        {
            settings["History:PageCharacters"] = "20000";
            settings["History:NearHead"] = fromTail ? "300" : "0";
        });
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        for (var i = 1; i <= 20; i++)
        {
            await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}", new string('語', 8_000)));
        }

        await world.DurableAsync(Lobby, 20);
        foreach (var (first, direction) in ((string, string)[])[("", "before"), ("after=0", "after")])
        {
            var (seqs, query) = (new List<long>(), first);
            while (true)
            {
                var page = await service.GetJsonAsync($"/api/rooms/lobby/messages?{query}&limit=200");
                var items = page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("seq").GetInt64()).ToList();
                Assert.InRange(items.Count, 1, 3);
                seqs.AddRange(items);
                if (page.GetProperty("next").GetString() is not { } next)
                {
                    break;
                }

                query = $"{direction}={next}";
            }
            Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), seqs.Order());
            Assert.Equal(20, seqs.Count);
        }
    }

    [Fact]
    public async Task A_client_that_does_not_read_loses_its_connection_and_its_place()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync(settings =>
        {
            settings["Calls:RunningPerUser"] = "1";
            settings["Calls:WaitingPerUser"] = "0";
            settings["Calls:AnswerTime"] = "00:00:03";
            settings["History:PageCharacters"] = "60000000";
        });
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        // More than the buffers of both sides take.
        await Task.WhenAll(Enumerable.Range(1, 200).Select(i =>
            log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", $"n{i}", new string('語', 40_000)))));
        await world.DurableAsync(Lobby, 200);
        using var deaf = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4_096 };
        var address = new Uri(service.Address);
        await deaf.ConnectAsync(address.Host, address.Port);
        await deaf.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /api/rooms/lobby/messages?limit=200 HTTP/1.1\r\nHost: chat\r\nAuthorization: Bearer {TestTokens.For("alice")}\r\n\r\n"));

        var begin = new byte[12];
        Assert.Equal(begin.Length, await deaf.ReceiveAsync(begin));
        Assert.Equal("HTTP/1.1 200", Encoding.ASCII.GetString(begin));
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync());
        await Eventually.IsTrueAsync(async () => await StatusAsync() == HttpStatusCode.OK, "the place is free again");

        async Task<HttpStatusCode> StatusAsync()
        {
            using var answer = await service.GetAsync("/api/rooms/lobby/messages?limit=1");
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_message_lists_the_first_users_of_each_emoji_and_counts_all()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync(settings =>
        {
            settings["History:ReactionUsers"] = "3";
            settings["History:NearHead"] = "0";
        });
        await world.OpenedAsync();
        var log = await world.StartLogAsync();
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n1"));
        for (var i = 0; i < 8; i++)
        {
            await ReactAsync($"u{i}", "❤");
        }

        await ReactAsync("u1", "❤", remove: true);
        await ReactAsync("u0", "☂");
        await ReactAsync("u0", "☂", remove: true);
        await ReactAsync("u1", "❤");
        await world.DurableAsync(Lobby, 13);
        const string committed = """[{"emoji":"❤","count":8,"users":["u0","u2","u3"]}]""";
        Assert.Equal(committed, await ReactionsAsync());
        await using (await world.HoldCommitsAsync())
        {
            await ReactAsync("u0", "❤", remove: true);
            await ReactAsync("late", "❤");
            await ReactAsync("late", "☀");
            Assert.Equal("""[{"emoji":"❤","count":8,"users":["u2","u3","late"]},{"emoji":"☀","count":1,"users":["late"]}]""", await ReactionsAsync());
        }

        await world.DurableAsync(Lobby, 16);
        Assert.Equal("""[{"emoji":"❤","count":8,"users":["u2","u3","u4"]},{"emoji":"☀","count":1,"users":["late"]}]""", await ReactionsAsync());

        async Task ReactAsync(string user, string emoji, bool remove = false) => await log.AppendAsync(
            PersistenceWorld.Message(Lobby, user, Guid.NewGuid().ToString()) with
            {
                Kind = EventKind.React, Target = 1, Content = null, Emoji = emoji, Remove = remove,
            });

        async Task<string> ReactionsAsync() =>
            (await service.GetJsonAsync("/api/rooms/lobby/messages?after=0&limit=1")).GetProperty("items")[0].GetProperty("reactions").GetRawText();
    }

    [Fact]
    public async Task Conversations_come_in_pages_that_together_have_each_once()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        var service = await world.StartServiceAsync();
        await world.OpenedAsync();
        var log = await world.StartLogAsync(new() { RoomsCreatedPerHour = 10_000 });
        string[] rooms = [.. Enumerable.Range(0, 230).Select(i => $"room-{i:000}")];
        foreach (var room in rooms)
        {
            await log.Log.JoinAsync(room, "alice", CancellationToken.None);
        }

        await Task.WhenAll(rooms.Take(60).Select(room => log.AppendAsync(PersistenceWorld.Message(ConversationKey.Room(room), "alice", "n"))));
        await Eventually.IsTrueAsync(
            async () => await world.QueryAsync<long>("SELECT count(*) FROM members WHERE member = 'alice'") == 230, "memberships are committed");
        await Eventually.IsTrueAsync(async () => await world.QueryAsync<long>("SELECT count(*) FROM conversations") == 60, "messages are committed");

        var whole = await service.GetJsonAsync("/api/conversations");
        Assert.Equal(200, whole.GetProperty("items").GetArrayLength());
        var (seen, query) = (new List<string>(), "limit=50");
        while (true)
        {
            var page = await service.GetJsonAsync($"/api/conversations?{query}");
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("room").GetString()!));
            if (page.GetProperty("next").GetString() is not { } next)
            {
                break;
            }

            query = $"limit=50&after={Uri.EscapeDataString(next)}";
        }
        Assert.Equal(rooms, seen.Order(StringComparer.Ordinal));
        Assert.Equal(rooms.Take(60), seen.Take(60).Order(StringComparer.Ordinal));
        using var wrong = await service.GetAsync("/api/conversations?after=x");
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }
}
