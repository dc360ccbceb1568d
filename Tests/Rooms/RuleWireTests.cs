using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using AspireChat.Contracts.Rooms;
using AspireChat.Tests.Connections;
using AspireChat.Tests.Persistence;

namespace AspireChat.Tests.Rooms;

/// <summary>
/// The table of docs/rooms.md over the wire: each action by each role and state in each kind of room, with each kind of token, on two nodes, by
/// socket and over HTTP. <see cref="RuleMatrixTests"/> holds the table itself to the rules.
/// </summary>
[Trait("Needs", "System")]
public sealed class RuleWireTests
{
    private const string Keeper = "keeper", Victim = "victim";

    private static readonly (string Name, RoomRole Role, bool Banned, bool Muted)[] States =
    [
        ("stranger", RoomRole.None, false, false), ("banned", RoomRole.None, true, false), ("member", RoomRole.Member, false, false),
        ("muted", RoomRole.Member, false, true), ("moderator", RoomRole.Moderator, false, false), ("owner", RoomRole.Owner, false, false),
    ];

    private static readonly int?[] Rights =
    [
        null, 0, RoomRules.Read, RoomRules.Read | RoomRules.Join, RoomRules.Read | RoomRules.Join | RoomRules.Send,
        RoomRules.Read | RoomRules.Join | RoomRules.Send | RoomRules.Moderate,
    ];

    private readonly ConcurrentQueue<string> _wrong = new();
    private int _asked;

    [Fact]
    public async Task Every_action_is_allowed_or_refused_as_the_table_says_on_both_nodes()
    {
        await using var world = await PersistenceWorld.CreateAsync();
        await using var service = await world.StartServiceAsync(settings => settings["Jwt:Key"] = ConnectionNode.Key);
        await world.OpenedAsync();
        await using var one = await ConnectionNode.StartAsync(world.RedisServer.ConnectionString);
        await using var other = await ConnectionNode.StartAsync(world.RedisServer.ConnectionString);
        var nodes = new[] { one, other };
        List<Case> cases = [.. nodes.SelectMany((_, node) => Cases(node))];
        using var server = one.HttpClient("backend", "chat:admin");
        foreach (var room in cases.Where(each => each.Standing.Exists).GroupBy(each => each.Room))
        {
            await PrepareAsync(server, room.Key, [.. room]);
        }

        using var http = new HttpClient();
        await Parallel.ForEachAsync(cases, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (each, _) =>
        {
            var caller = new Caller(http, each, each.User("http"));
            await AskHttpAsync(caller, nodes[each.Node].Address, new Uri(service.Address));
            if (each.Standing.Exists)
            {
                await AskSocketAsync(each, nodes[each.Node], server);
            }
        });

        Assert.True(_wrong.IsEmpty, $"{_wrong.Count} of {_asked} answers are wrong:\n{string.Join('\n', _wrong.Take(40))}");
        Assert.InRange(_asked, 4_000, 6_000);
    }

    private static IEnumerable<Case> Cases(int node) =>
        (from visibility in Enum.GetValues<RoomVisibility>()
         from sending in Enum.GetValues<RoomSending>()
         from state in States
         from rights in Rights
         select new Case(
             node, $"{RoomSettings.NameOf(visibility)}-{RoomSettings.NameOf(sending)}", state.Name, rights,
             new RoomStanding(true, visibility, sending, state.Role, state.Banned, state.Muted)))
        .Concat(Rights.Select(rights => new Case(
            node, "never-was", "stranger", rights, new RoomStanding(false, RoomVisibility.Public, RoomSending.Members, RoomRole.None))));

    private static async Task PrepareAsync(HttpClient server, string room, IReadOnlyList<Case> cases)
    {
        var standing = cases[0].Standing;
        await DoneAsync(server.PutAsJsonAsync($"/api/admin/rooms/{room}", new
        {
            visibility = RoomSettings.NameOf(standing.Visibility), sending = RoomSettings.NameOf(standing.Sending),
        }));
        var users = cases.SelectMany(each => new[] { each.User("http"), each.User("socket") }.Select(user => (User: user, each.Standing))).ToList();
        users.Add((Keeper, standing with { Role = RoomRole.Owner, Banned = false, Muted = false }));
        users.Add((Victim, standing with { Role = RoomRole.Member, Banned = false, Muted = false }));
        foreach (var role in users.Where(each => each.Standing.Role != RoomRole.None).GroupBy(each => each.Standing.Role))
        {
            await DoneAsync(server.PostAsJsonAsync(
                $"/api/admin/rooms/{room}/members", new { members = role.Select(each => each.User), role = RoomRoles.NameOf(role.Key) }));
        }

        await Task.WhenAll(users.Where(each => each.Standing.Banned || each.Standing.Muted).Select(each =>
            DoneAsync(server.PutAsync($"/api/admin/rooms/{room}/{(each.Standing.Banned ? "bans" : "mutes")}/{each.User}", null))));
    }

    private async Task AskHttpAsync(Caller caller, Uri node, Uri history)
    {
        var (room, user) = (caller.Case.Room, caller.User);
        await HttpAsync(RoomAction.See, HttpMethod.Get, history, "");
        await HttpAsync(RoomAction.Read, HttpMethod.Get, history, "/messages");
        await HttpAsync(RoomAction.Read, HttpMethod.Get, history, "/members");
        await HttpAsync(RoomAction.Moderate, HttpMethod.Get, history, "/bans");
        await HttpAsync(RoomAction.Send, HttpMethod.Post, node, "/messages", new { content = "hello", nonce = "n" });
        await HttpAsync(RoomAction.Moderate, HttpMethod.Put, node, $"/members/guest-of-{user}");
        await HttpAsync(RoomAction.Moderate, HttpMethod.Put, node, $"/mutes/guest-of-{user}");
        await HttpAsync(RoomAction.Own, HttpMethod.Patch, node, "", new { topic = "tea" });
        await HttpAsync(RoomAction.Own, HttpMethod.Put, node, $"/members/guest-of-{user}", new { role = "moderator" });
        await HttpAsync(RoomAction.Leave, HttpMethod.Delete, node, $"/members/{user}");

        async Task HttpAsync(RoomAction action, HttpMethod method, Uri address, string path, object? body = null)
        {
            using var request = new HttpRequestMessage(method, new Uri(address, $"/api/rooms/{room}{path}"));
            request.Content = body is null ? null : JsonContent.Create(body);
            request.Headers.Authorization = new("Bearer", caller.Token);
            using var answer = await caller.Http.SendAsync(request);
            Check(caller.Case, $"{method} {path}", action, caller.Case.Standing, answer.StatusCode switch
            {
                >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => RoomVerdict.Allowed,
                HttpStatusCode.Forbidden => RoomVerdict.Forbidden,
                HttpStatusCode.NotFound => RoomVerdict.NotFound,
                _ => (RoomVerdict)(int)answer.StatusCode,
            });
        }
    }

    private async Task AskSocketAsync(Case each, ConnectionNode node, HttpClient server)
    {
        var (room, user) = (each.Room, each.User("socket"));
        var own = await WriteAsync(user);
        var foreign = await WriteAsync(Victim);
        await using var socket = await TestSocket.ConnectAsync(node.Address, each.Token(user));
        await socket.SendAsync(new { type = "room", room, content = "x", nonce = "early" });
        Assert.Equal("not_joined", (string?)(await socket.ExpectAnyAsync("ack", "error"))["code"]);
        var standing = each.Standing;
        if (await FrameAsync(RoomAction.Join, new { type = "join", room, @ref = "j" }, "joined") == RoomVerdict.Allowed)
        {
            standing = standing with { Role = standing.Role == RoomRole.None ? RoomRole.Member : standing.Role };
            await FrameAsync(RoomAction.Send, new { type = "room", room, content = "hello", nonce = "s" }, "ack");
            await FrameAsync(RoomAction.Edit, new { type = "edit", room, target = own, content = "better", nonce = "e" }, "ack");
            await FrameAsync(RoomAction.React, new { type = "react", room, target = foreign, emoji = "👍", nonce = "r" }, "ack");
            await FrameAsync(RoomAction.Delete, new { type = "delete", room, target = own, nonce = "d" }, "ack");
            await FrameAsync(RoomAction.Moderate, new { type = "delete", room, target = foreign, nonce = "m" }, "ack");
        }

        if (standing.Role != RoomRole.None)
        {
            await FrameAsync(RoomAction.Leave, new { type = "leave", room, @ref = "l" }, "left");
        }

        async Task<RoomVerdict> FrameAsync(RoomAction action, object frame, string expected)
        {
            await socket.SendAsync(frame);
            var answer = await socket.ExpectAnyAsync(expected, "error");
            var verdict = (string?)answer["code"] switch
            {
                null => RoomVerdict.Allowed,
                "forbidden" => RoomVerdict.Forbidden,
                "not_found" => RoomVerdict.NotFound,
                var code => throw new InvalidOperationException($"{each} {action}: {code}"),
            };
            Check(each, "socket", action, standing, verdict);
            return verdict;
        }

        async Task<long> WriteAsync(string from)
        {
            using var answer = await server.PostAsJsonAsync(
                $"/api/admin/rooms/{room}/messages", new { content = "hello", nonce = $"for-{user}", from });
            return (long)(await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonObject>())!["seq"]!;
        }
    }

    private void Check(Case each, string way, RoomAction action, RoomStanding standing, RoomVerdict answered)
    {
        Interlocked.Increment(ref _asked);
        var expected = RoomRules.May(standing, each.Rights, action);
        // Whoever is no member of a room that they see, and leaves it, is answered as if they had just left: a repeat is harmless.
        if (action == RoomAction.Leave && expected == RoomVerdict.Forbidden)
        {
            expected = RoomVerdict.Allowed;
        }

        if (answered != expected)
        {
            _wrong.Enqueue($"{each} {way} {action}: {answered}, expected {expected}");
        }
    }

    private static async Task DoneAsync(Task<HttpResponseMessage> call)
    {
        using var answer = await call;
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private sealed record Case(int Node, string Room, string State, int? Rights, RoomStanding Standing)
    {
        public string User(string way) => $"{way}-{Node}-{Room}-{State}-{Rights?.ToString() ?? "all"}";

        /// <summary>Grants in this room and, so that nobody grants nothing at all, in another one.</summary>
        public string Token(string user)
        {
            if (Rights is not { } rights)
            {
                return ConnectionNode.Token(user);
            }

            (string Name, int Right)[] all =
                [("read", RoomRules.Read), ("join", RoomRules.Join), ("send", RoomRules.Send), ("moderate", RoomRules.Moderate)];
            var granted = all.Where(each => (rights & each.Right) != 0).Select(each => (JsonNode?)each.Name).ToArray();
            var claim = new JsonObject { [Room] = new JsonArray(granted), ["elsewhere"] = new JsonArray("read") };
            return ConnectionNode.Token(user, more: ("rooms", JsonSerializer.SerializeToElement(claim)));
        }
    }

    private sealed record Caller(HttpClient Http, Case Case, string User)
    {
        public string Token { get; } = Case.Token(User);
    }
}
