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

        // Carol's leave is told at once, and her offline follows every frame that bob's return could have caused.
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
        await using var phone = await system.ConnectElsewhereAsync(alice, a.Node);

        await a.SendAsync(new { type = "typing", to = bob });
        var seen = await b.ExpectAsync("typing", frame => (bool)frame["active"]!);
        await a.SendAsync(new { type = "typing", to = bob, active = false });
        await b.ExpectAsync("typing", frame => !(bool)frame["active"]!);

        Assert.Equal((alice, alice), ((string?)seen["from"], (string?)seen["to"]));
        foreach (var other in (ChatSocket[])[e, phone, a])
        {
            await other.SettleAsync();
            Assert.DoesNotContain(other.Received, frame => (string?)frame["type"] == "typing");
        }
    }

    [Fact]
    public async Task A_user_is_online_while_any_device_is_and_a_leave_on_all_devices_is_told_once()
    {
        var (room, bob) = (ChatSystem.Unique("room"), ChatSystem.Unique("bob"));
        await using var a = await system.ConnectAsync(ChatSystem.Unique("alice"));
        await a.JoinAsync(room);
        await using var phone = await system.ConnectAsync(bob);
        await phone.JoinAsync(room);
        var laptop = await system.ConnectElsewhereAsync(bob, phone.Node);
        await laptop.JoinAsync(room);
        await a.ExpectAsync("online", frame => frame["users"]!.AsArray().Any(user => (string?)user == bob));

        await laptop.DisposeAsync();
        // If bob's laptop had been his last device, his offline would come before carol's.
        var c = await system.ConnectAsync(ChatSystem.Unique("carol"));
        await c.JoinAsync(room);
        await a.ExpectAsync("online", frame => frame["users"]!.AsArray().Any(user => (string?)user == c.User));
        await c.DisposeAsync();
        await a.ExpectAsync("offline", frame => frame["users"]!.AsArray().Any(user => (string?)user == c.User));
        Assert.DoesNotContain(a.Received, frame => (string?)frame["type"] == "offline" && frame["users"]!.AsArray().Any(user => (string?)user == bob));

        await using var tablet = await system.ConnectElsewhereAsync(bob, phone.Node);
        await tablet.JoinAsync(room);
        await tablet.SendAsync(new { type = "leave", room });
        await phone.ExpectAsync("left");
        await a.ExpectAsync("offline", frame => frame["users"]!.AsArray().Any(user => (string?)user == bob));
        var d = await system.ConnectAsync(ChatSystem.Unique("dave"));
        await d.JoinAsync(room);
        await a.ExpectAsync("online", frame => frame["users"]!.AsArray().Any(user => (string?)user == d.User));
        await d.DisposeAsync();
        await a.ExpectAsync("offline", frame => frame["users"]!.AsArray().Any(user => (string?)user == d.User));
        Assert.Single(a.Received, frame => (string?)frame["type"] == "offline" && frame["users"]!.AsArray().Any(user => (string?)user == bob));
    }

    [Fact]
    public async Task A_joiner_sees_a_hundred_names_the_count_and_who_types_and_a_large_room_hears_only_counts()
    {
        const int users = 205;
        var (room, alice) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"));
        await using var a = await system.ConnectAsync(alice);
        await a.JoinAsync(room);
        var sockets = new List<ChatSocket>();
        try
        {
            foreach (var part in Enumerable.Range(0, users).Chunk(25))
            {
                var connected = await Task.WhenAll(part.Select(i => system.ConnectAsync(ChatSystem.Unique($"u{i}"))));
                sockets.AddRange(connected);
                await Task.WhenAll(connected.Select(socket => socket.JoinAsync(room)));
            }
            await a.ExpectAsync("presence", frame => (int)frame["count"]! == users + 1);
            await using var b = await system.ConnectAsync(ChatSystem.Unique("bob"));
            // Typing is renewed again and again, because it ends after 3 s and a slow machine may need longer.
            var joined = await ChatSystem.EventuallyAsync(
                async () =>
                {
                    await a.SendAsync(new { type = "typing", room });
                    return await b.JoinAsync(room);
                },
                joined => joined["typing"]!.AsArray().Count > 0 && (int)joined["count"]! > users + 1);

            var names = joined["members"]!.AsArray().Select(user => (string)user!).ToHashSet();
            Assert.Equal(100, names.Count);
            Assert.Contains(b.User, names);
            Assert.Equal(users + 2, (int)joined["count"]!);
            Assert.Equal([alice], joined["typing"]!.AsArray().Select(user => (string)user!));
            await a.ExpectAsync("presence", frame => (int)frame["count"]! == users + 2);
            Assert.All(
                a.Received.SkipWhile(frame => (string?)frame["type"] != "presence"),
                frame => Assert.DoesNotContain((string)frame["type"]!, (string[])["online", "offline"]));
        }
        finally
        {
            await Task.WhenAll(sockets.Select(socket => socket.DisposeAsync().AsTask()));
        }
    }
}
