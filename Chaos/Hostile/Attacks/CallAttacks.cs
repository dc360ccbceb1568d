using System.Net.Http.Json;
using System.Text;

namespace AspireChat.Chaos.Hostile.Attacks;

/// <summary>One call of the HTTP interface as fast as the answers come, 60 at once.</summary>
internal abstract class CallAttack(string name, string what, string budget) : Attack(name, what, budget)
{
    protected const int Parallel = 60;

    public override Task RunAsync(Attacker attacker, CancellationToken stop) => attacker.CallAsync(Parallel, i => Request(attacker, i), stop);

    protected abstract HttpRequestMessage Request(Attacker attacker, int number);

    protected static HttpRequestMessage Get(string path) => new(HttpMethod.Get, path);
}

/// <summary>Pages of 200 messages of a room that a friend filled.</summary>
/// <param name="messages">Messages in the room.</param>
/// <param name="characters">Characters in each.</param>
/// <param name="places">The pages begin behind the first this many messages in turn; 0: all are the newest.</param>
internal sealed class HistoryPages(string name, string what, int messages, int characters, int places = 0, string character = "€")
    : CallAttack(name, what, "Gateway:RateLimits:ApiPerUser")
{
    private string _room = "";

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) =>
        _room = await attacker.FilledRoomAsync(messages, characters, cancellationToken, character);

    protected override HttpRequestMessage Request(Attacker attacker, int number) =>
        Get($"/api/rooms/{_room}/messages?limit=200{(places > 0 ? $"&after={number % places}" : "")}");
}

internal sealed class EmojiPages() : CallAttack(
    "emoji-pages", "pages of 40 messages that have 50 different emojis of 64 characters each, the most that a message takes",
    "Sockets:EventsPerSecond, Gateway:RateLimits:ApiPerUser")
{
    private const int Messages = 40;
    private const int Friends = 50;

    private string _room = "";

    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken)
    {
        _room = await attacker.FilledRoomAsync(Messages, 1, cancellationToken);
        for (var friend = 0; friend < Friends; friend++)
        {
            // One emoji for each message: as many events as a user may send at once.
            using var socket = await attacker.JoinAsync(_room, cancellationToken, attacker.Name($"fan{friend}"));
            var emoji = $"{friend}".PadLeft(64, '€');
            for (var target = 1; target <= Messages; target++)
            {
                await socket.SendAsync(new { type = "react", room = _room, target, emoji, nonce = $"e{target}" }, cancellationToken);
                if (await socket.ExpectAsync("ack", cancellationToken) is null)
                {
                    throw new InvalidOperationException("A friend who reacts was cut.");
                }
            }
        }
    }

    protected override HttpRequestMessage Request(Attacker attacker, int number) => Get($"/api/rooms/{_room}/messages?limit=200");
}

internal sealed class ConversationLists() : CallAttack(
    "conversation-lists", "`GET /api/conversations` of a user of 200 rooms with large messages", "Gateway:RateLimits:ApiPerUser")
{
    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken)
    {
        // A friend for each 40 rooms, whose message is the last one of the room.
        for (var friend = 0; friend < 5; friend++)
        {
            using var other = await attacker.ConnectAsync(cancellationToken, attacker.Name($"friend{friend}"));
            for (var i = 0; i < 40; i++)
            {
                var room = attacker.Name($"list{friend}-{i}");
                await other.SendAsync(new { type = "join", room }, cancellationToken);
                await other.SendAsync(new { type = "room", room, content = new string('€', 8_000), nonce = "n" }, cancellationToken);
                await other.ExpectAsync("ack", cancellationToken);
            }
        }
        using var own = await attacker.ConnectAsync(cancellationToken);
        for (var i = 0; i < 200; i++)
        {
            await own.SendAsync(new { type = "join", room = attacker.Name($"list{i / 40}-{i % 40}") }, cancellationToken);
            await own.ExpectAsync("joined", cancellationToken);
        }
    }

    protected override HttpRequestMessage Request(Attacker attacker, int number) => Get("/api/conversations");
}

internal sealed class MemberPages() : CallAttack(
    "member-pages", "pages of the bystanders' members and of rooms that do not exist", "Gateway:RateLimits:ApiPerUser")
{
    protected override HttpRequestMessage Request(Attacker attacker, int number) =>
        Get($"/api/rooms/{(number % 2 == 0 ? attacker.Hall : attacker.Name($"m{number}"))}/members?limit=200");
}

internal sealed class PresenceLookups() : CallAttack(
    "presence-lookups", "`POST /api/presence` of 500 users", "Gateway:RateLimits:ApiPerUser")
{
    protected override HttpRequestMessage Request(Attacker attacker, int number) => new(HttpMethod.Post, "/api/presence")
    {
        Content = JsonContent.Create(new { users = Enumerable.Range(0, 500).Select(i => attacker.Name($"p{number % 50}-{i}")) }),
    };
}

internal sealed class MemberPosts() : CallAttack(
    "posts", "`POST` of messages to the bystanders' room as a member", "Sockets:EventsPerSecond")
{
    public override async Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken)
    {
        using var socket = await attacker.JoinAsync(attacker.Hall, cancellationToken);
    }

    protected override HttpRequestMessage Request(Attacker attacker, int number) => Post(attacker.Hall, number);

    internal static HttpRequestMessage Post(string room, int number) => new(HttpMethod.Post, $"/api/rooms/{room}/messages")
    {
        Content = JsonContent.Create(new { content = new string('€', 8_000), nonce = $"p{number}" }),
    };
}

internal sealed class StrangerPosts() : CallAttack(
    "stranger-posts", "`POST` of messages of 24 KB to a room without being its member", "Budgets:AttemptsPerSecond")
{
    protected override HttpRequestMessage Request(Attacker attacker, int number) => MemberPosts.Post(attacker.Hall, number);
}

internal sealed class BadPosts() : CallAttack("bad-posts", "`POST` of 100 KB that is no JSON, or too deep", "Gateway:RateLimits:ApiPerUser")
{
    private static readonly byte[] Body = Encoding.ASCII.GetBytes(new string('[', 100_000));

    protected override HttpRequestMessage Request(Attacker attacker, int number) =>
        new(HttpMethod.Post, number % 2 == 0 ? $"/api/rooms/{attacker.Hall}/messages" : "/api/presence") { Content = new ByteArrayContent(Body) };
}

internal sealed class Tickets() : CallAttack(
    "tickets", "tickets for sockets, whether they are issued or not", "Gateway:RateLimits:ApiPerUser")
{
    protected override HttpRequestMessage Request(Attacker attacker, int number) => new(HttpMethod.Post, "/api/socket-tickets");
}

internal sealed class WrongPaths() : CallAttack(
    "wrong-paths", "cursors, limits, names and paths that are wrong", "Gateway:RateLimits:ApiPerUser")
{
    private static readonly string[] Paths =
    [
        "/api/rooms/x/messages?before=99999999999999999999", "/api/rooms/x/messages?limit=-1", "/api/rooms/%00/messages", "/api/nothing",
        "/api/rooms/x/messages?after=" + new string('A', 4_000), "/api/users/" + new string('u', 4_000) + "/presence", "/internal/events",
        "/api/admin/users/alice/disconnect",
    ];

    protected override HttpRequestMessage Request(Attacker attacker, int number) => Get(Paths[number % Paths.Length]);
}

internal sealed class Pages() : CallAttack("pages", "the web client's page and module, without a token", "none: static files have no limit")
{
    protected override HttpRequestMessage Request(Attacker attacker, int number) =>
        Get((number % 3) switch { 0 => "/", 1 => "/aspirechat.js", _ => "/openapi/v1.json" });
}

internal sealed class HealthCalls() : CallAttack(
    "health-calls", "the gateway's own health checks, without a token", "none: health checks have no limit")
{
    protected override HttpRequestMessage Request(Attacker attacker, int number) => Get(number % 2 == 0 ? "/health" : "/alive");
}

internal sealed class DevelopmentTokens() : CallAttack(
    "dev-tokens", "development tokens for ever new users", "Gateway:RateLimits:DevTokensPerAddress")
{
    protected override HttpRequestMessage Request(Attacker attacker, int number) => Get($"/dev/token?user={attacker.Name($"k{number}")}");
}
