namespace AspireChat.Tests.Acceptance;

[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class PresenceTests(ChatSystem system)
{
    [Fact]
    public async Task Members_on_another_node_see_a_user_come_and_go()
    {
        var (room, alice, bob) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = await system.ConnectAsync(alice);
        var joined = await a.JoinAsync(room);
        Assert.Equal([alice], joined["members"]!.AsArray().Select(user => (string)user!));
        Assert.Equal(1, (int)joined["count"]!);
        var b = await system.ConnectElsewhereAsync(bob, a.Node);
        await b.JoinAsync(room);

        var online = await a.ExpectAsync("online", frame => frame["users"]!.AsArray().Any(user => (string?)user == bob));
        Assert.Equal(2, (int)online["count"]!);
        Assert.True((bool)(await system.GetAsync(alice, $"/api/users/{bob}/presence"))["online"]!);

        await b.DisposeAsync();
        var offline = await a.ExpectAsync("offline", frame => frame["users"]!.AsArray().Any(user => (string?)user == bob));
        Assert.Equal(1, (int)offline["count"]!);
        var presence = await system.GetAsync(alice, $"/api/users/{bob}/presence");
        Assert.False((bool)presence["online"]!);
        Assert.NotNull(presence["lastSeen"]);
    }

    [Fact]
    public async Task A_return_within_the_grace_period_is_not_seen()
    {
        var (room, alice, bob) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = await system.ConnectAsync(alice);
        await a.JoinAsync(room);
        var b = await system.ConnectAsync(bob);
        await b.JoinAsync(room);
        await a.ExpectAsync("online", frame => frame["users"]!.AsArray().Any(user => (string?)user == bob));

        await b.DisposeAsync();
        await using var again = await system.ConnectAsync(bob);
        await again.JoinAsync(room);

        // Carol's leaving is announced at once and her offline follows everything that bob's return could have caused.
        await using var c = await system.ConnectAsync(ChatSystem.Unique("carol"));
        await c.JoinAsync(room);
        await a.ExpectAsync("online", frame => frame["users"]!.AsArray().Any(user => (string?)user == c.User));
        await c.DisposeAsync();
        await a.ExpectAsync("offline", frame => frame["users"]!.AsArray().Any(user => (string?)user == c.User));
        Assert.DoesNotContain(a.Received, frame => (string?)frame["type"] == "offline" && frame["users"]!.AsArray().Any(user => (string?)user == bob));
        Assert.Single(a.Received, frame => (string?)frame["type"] == "online" && frame["users"]!.AsArray().Any(user => (string?)user == bob));
    }

    [Fact]
    public async Task Typing_is_seen_by_the_others_only_and_the_server_clears_it()
    {
        var (room, alice, bob) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"), ChatSystem.Unique("bob"));
        await using var a = await system.ConnectAsync(alice);
        await using var phone = await system.ConnectElsewhereAsync(alice, a.Node);
        await using var b = await system.ConnectElsewhereAsync(bob, a.Node);
        await a.JoinAsync(room);
        await phone.JoinAsync(room);
        await b.JoinAsync(room);
        await a.ExpectAsync("online", frame => frame["users"]!.AsArray().Any(user => (string?)user == bob));

        await a.SendAsync(new { type = "typing", room });

        Assert.Equal((alice, true), await TypingAsync(b));
        Assert.Equal((alice, false), await TypingAsync(b));
        foreach (var own in (ChatSocket[])[a, phone])
        {
            await own.SettleAsync();
            Assert.DoesNotContain(own.Received, frame => (string?)frame["type"] == "typing");
        }

        static async Task<(string From, bool Active)> TypingAsync(ChatSocket socket)
        {
            var frame = await socket.ExpectAsync("typing");
            return ((string)frame["from"]!, (bool)frame["active"]!);
        }
    }

    [Fact]
    public async Task Typing_to_a_user_is_seen_by_that_user_only()
    {
        var (alice, bob, eve) = (ChatSystem.Unique("alice"), ChatSystem.Unique("bob"), ChatSystem.Unique("eve"));
        await using var a = await system.ConnectAsync(alice);
        await using var b = await system.ConnectElsewhereAsync(bob, a.Node);
        await using var e = await system.ConnectAsync(eve);

        await a.SendAsync(new { type = "typing", to = bob });
        var seen = await b.ExpectAsync("typing", frame => (bool)frame["active"]!);
        await a.SendAsync(new { type = "typing", to = bob, active = false });
        await b.ExpectAsync("typing", frame => !(bool)frame["active"]!);

        Assert.Equal((alice, alice), ((string?)seen["from"], (string?)seen["to"]));
        await e.SettleAsync();
        Assert.DoesNotContain(e.Received, frame => (string?)frame["type"] == "typing");
    }
}
