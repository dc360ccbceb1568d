using System.Text.Json.Nodes;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Acceptance;

[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class ReceiptTests(ChatSystem system)
{
    [Fact]
    public async Task A_read_cursor_is_seen_by_members_on_every_node_and_counts_what_is_unread()
    {
        var (room, alice, bob) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = await system.ConnectAsync(alice);
        await using var b = await system.ConnectElsewhereAsync(bob, a.Node);
        await a.JoinAsync(room);
        Assert.Equal(0, (long)(await b.JoinAsync(room))["read"]!);
        for (var i = 1; i <= 5; i++)
        {
            await a.SayAsync(room, $"m{i}");
        }

        await b.SayAsync(room, "mine is never unread");
        await a.ExpectAsync("durable", frame => (long)frame["seq"]! >= 5);

        Assert.Equal((6, 0, 5), await StandingAsync(bob, "room", room, standing => standing.Unread == 5));
        await b.SendAsync(new { type = "read", room, seq = 3 });

        var seen = await a.ExpectAsync("read", frame => (string?)frame["from"] == bob);
        Assert.Equal((room, 3L), ((string?)seen["room"], (long)seen["seq"]!));
        Assert.Equal((6, 3, 2), await StandingAsync(bob, "room", room, standing => standing.Read == 3));
        await b.SendAsync(new { type = "read", room, seq = 1 });
        await b.SendAsync(new { type = "read", room, seq = 999 });
        await a.ExpectAsync("read", frame => (string?)frame["from"] == bob && (long)frame["seq"]! == 6);
        Assert.DoesNotContain(a.Received, frame => (string?)frame["type"] == "read" && (long)frame["seq"]! == 1);
        var members = (await system.GetAsync(alice, $"/api/rooms/{room}/members"))["items"]!.AsArray();
        Assert.Equal([(alice, true), (bob, true)], members.Select(member => ((string)member!["user"]!, (bool)member["online"]!)));
        Assert.Equal(6, (long)members[1]!["read"]!);
    }

    [Fact]
    public async Task In_a_direct_conversation_each_side_names_the_other()
    {
        var (alice, bob) = (ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = await system.ConnectAsync(alice);
        await using var b = await system.ConnectElsewhereAsync(bob, a.Node);
        await a.TellAsync(bob, "one");
        await a.TellAsync(bob, "two");
        await b.ExpectAsync("dm", frame => (long)frame["seq"]! == 2);
        await a.ExpectAsync("durable", frame => (string?)frame["to"] == bob && (long)frame["seq"]! == 2);
        Assert.Equal((2, 0, 2), await StandingAsync(bob, "to", alice, standing => standing.Unread == 2));

        await b.SendAsync(new { type = "read", to = alice, seq = 2 });

        var atAlice = await a.ExpectAsync("read");
        var atBob = await b.ExpectAsync("read");
        Assert.Equal((bob, bob, 2L), ((string?)atAlice["from"], (string?)atAlice["to"], (long)atAlice["seq"]!));
        Assert.Equal((bob, alice), ((string?)atBob["from"], (string?)atBob["to"]));
        Assert.Equal((2, 2, 0), await StandingAsync(bob, "to", alice, standing => standing.Unread == 0));
    }

    [Fact]
    public async Task A_token_is_renewed_in_place_but_never_for_another_user()
    {
        var alice = ChatSystem.Unique("alice");
        await using var socket = await ChatSocket.ConnectAsync(system.Gateway, alice, await system.TokenAsync(alice, expiresIn: 4));

        await socket.SendAsync(new { type = "auth", token = await system.TokenAsync("mallory"), @ref = "m" });
        Assert.Equal(ErrorCodes.Forbidden, (string?)(await socket.ExpectAsync("error", frame => (string?)frame["ref"] == "m"))["code"]);
        await socket.SendAsync(new { type = "auth", token = await system.TokenAsync(alice, expiresIn: 9) });
        var renewed = await socket.ExpectAsync("authenticated");

        // The socket works after the first token has expired, and ends when the second one expires.
        var first = DateTimeOffset.Parse((string)socket.Received[0]["expires"]!);
        Assert.True(DateTimeOffset.Parse((string)renewed["expires"]!) > first);
        await ChatSystem.EventuallyAsync(() => Task.FromResult(TimeProvider.System.GetUtcNow()), now => now > first.AddSeconds(1));
        await socket.SettleAsync();
        Assert.Equal(CloseCodes.TokenExpired, await socket.ExpectCloseAsync());
    }

    private async Task<(int Head, int Read, int Unread)> StandingAsync(
        string user, string place, string name, Func<(int Head, int Read, int Unread), bool> right) =>
        await ChatSystem.EventuallyAsync(
            async () =>
            {
                var items = (await system.GetAsync(user, "/api/conversations"))["items"]!.AsArray();
                JsonNode? item = items.FirstOrDefault(entry => (string?)entry![place] == name);
                return item is null ? (-1, -1, -1) : ((int)item["head"]!, (int)item["read"]!, (int)item["unread"]!);
            },
            right);
}
