using System.Text.Json.Nodes;
using AspireChat.Client;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Acceptance;

/// <summary>Every call of the HTTP clients once, with the whole system.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class ServerClientTests(ChatSystem system) : IDisposable
{
    private readonly HttpClient _http = new();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_backend_makes_a_room_fills_it_moderates_it_and_takes_it_away()
    {
        var server = Server();
        var (room, alice, bob, eve) = (
            ChatSystem.Unique("order"), ChatSystem.Unique("alice"), $"auth0|{ChatSystem.Unique("bob")}", ChatSystem.Unique("eve"));

        var made = await server.Rooms.PutAsync(room, new RoomSettings
        {
            Name = $"Order {room}", Topic = "Tea", Visibility = RoomVisibility.Private, Meta = """{"order":1}""", RetentionDays = 30,
        });
        Assert.Equal(
            ($"Order {room}", "Tea", RoomVisibility.Private, """{"order":1}""", 30, 0L, null),
            (made.Name, made.Topic, made.Visibility, made.Meta, made.RetentionDays, made.Members, made.Role));
        var changed = await server.Rooms.UpdateAsync(room, new RoomSettings { Topic = "", Sending = RoomSending.Moderators });
        Assert.Equal((null, RoomSending.Moderators, $"Order {room}"), (changed.Topic, changed.Sending, changed.Name));

        Assert.Equal(RoomRole.Member, (await server.Rooms.AddMemberAsync(room, alice)).Role);
        Assert.Equal(RoomRole.Owner, (await server.Rooms.SetRoleAsync(room, alice, RoomRole.Owner)).Role);
        Assert.Equal(RoomRole.Owner, (await server.Rooms.AddMemberAsync(room, alice)).Role);
        Assert.All(await server.Rooms.AddMembersAsync(room, [bob, eve]), added => Assert.Null(added.Code));
        await server.Rooms.MuteAsync(room, bob, DateTimeOffset.Parse("2100-01-01T00:00:00Z", null));
        await server.Rooms.UnmuteAsync(room, bob);
        await server.Rooms.BanAsync(room, eve, DateTimeOffset.Parse("2100-01-01T00:00:00Z", null), "spam");
        Assert.Equal(
            [new RoomBan(eve, DateTimeOffset.Parse("2100-01-01T00:00:00Z", null), "spam", "system")], await server.Rooms.BansAsync(room));
        Assert.Equal([new AddMemberResult(eve, ErrorCodes.Forbidden)], await server.Rooms.AddMembersAsync(room, [eve]));
        await server.Rooms.UnbanAsync(room, eve);
        await server.Rooms.RemoveMemberAsync(room, bob);

        var sent = await server.SendToRoomAsync(room, "on its way", new ChatServerMessageOptions { From = "shop", Nonce = "order-1" });
        var again = await server.SendToRoomAsync(room, "on its way", new ChatServerMessageOptions { From = "shop", Nonce = "order-1" });
        Assert.Equal((false, true, sent.Seq), (sent.Duplicate, again.Duplicate, again.Seq));
        await server.DeleteMessageAsync(room, sent.Seq);
        await server.DeleteMessageAsync(room, sent.Seq);
        var told = await server.SendToUserAsync(alice, "hello", new ChatServerMessageOptions { From = "shop" });
        Assert.Equal(("hello", "shop"), await OnlyMessageAsync(User(alice), Conversation.With("shop")));
        Assert.Equal(Conversation.With(alice), told.Conversation);

        await ChatSystem.EventuallyAsync(
            async () => (await server.Rooms.ListAsync(room)).Items.Select(item => item.Room), rooms => rooms.SequenceEqual([room]));
        await server.Rooms.DeleteAsync(room);
        var gone = await Assert.ThrowsAsync<ChatException>(() => server.Rooms.UpdateAsync(room, new RoomSettings { Name = "x" }));
        Assert.Equal((ErrorCodes.NotFound, 404), (gone.Code, gone.Status));
    }

    [Fact]
    public async Task A_backend_shows_disconnects_revokes_exports_and_erases_a_user()
    {
        var (server, user) = (Server(), ChatSystem.Unique("user"));
        await using var socket = await system.ConnectAsync(user);
        await server.Users.SetProfileAsync(user, "Ms Ä", "https://example.org/a.png");
        await ChatSystem.EventuallyAsync(
            () => server.Users.ListAsync(user), users => users.SequenceEqual([new ChatUser(user, "Ms Ä", "https://example.org/a.png")]));

        await server.Users.DisconnectAsync(user);
        Assert.Equal(CloseCodes.Forbidden, await socket.ExpectCloseAsync());
        var kept = await server.SendToUserAsync(user, "remember me", new ChatServerMessageOptions { From = user });
        var lines = new List<JsonNode>();
        await foreach (var line in server.Users.ExportAsync(user))
        {
            lines.Add(JsonNode.Parse(line)!);
        }

        Assert.Equal("Ms Ä", (string?)lines.Single(line => (string?)line["kind"] == "profile")["name"]);
        Assert.Equal(kept.Seq, (long)lines.Single(line => (string?)line["kind"] == "event")["event"]!["seq"]!);

        var old = User(user);
        await old.ConversationsAsync();
        await server.Users.RevokeAsync(user);
        var refusal = await ChatSystem.EventuallyAsync(
            () => Record.ExceptionAsync(() => old.ConversationsAsync()), refusal => refusal is not null);
        Assert.Equal(ChatErrorCodes.Token, Assert.IsType<ChatException>(refusal).Code);

        var erasure = await server.Users.EraseAsync(user);
        await ChatSystem.EventuallyAsync(
            () => server.Users.ErasureAsync(erasure.Id), state => state.Status == UserErasureStatus.Done && state.User == user);
    }

    [Fact]
    public async Task Dead_letters_are_listed_and_one_that_does_not_exist_is_not_sent()
    {
        var server = Server();

        Assert.NotNull((await server.Webhooks.DeadLettersAsync(limit: 1)).Items);
        var refusal = await Assert.ThrowsAsync<ChatException>(() => server.Webhooks.ReplayAsync($"msg_{Guid.NewGuid():N}"));
        Assert.Equal((ErrorCodes.NotFound, 404), (refusal.Code, refusal.Status));

        var user = new ChatServerClient(_http, new ChatServerClientOptions
        {
            Gateway = system.Gateway, TokenProvider = async _ => await system.TokenAsync(ChatSystem.Unique("user")),
        });
        Assert.Equal(ErrorCodes.Forbidden, (await Assert.ThrowsAsync<ChatException>(() => user.Webhooks.DeadLettersAsync())).Code);
    }

    [Fact]
    public async Task A_user_creates_a_room_gives_roles_moderates_finds_and_reads_over_http()
    {
        var (alice, bob, eve) = (ChatSystem.Unique("alice"), ChatSystem.Unique("bob"), ChatSystem.Unique("eve"));
        var (owner, member) = (User(alice), User(bob));
        var made = await owner.Rooms.CreateAsync(new RoomSettings { Name = "Tea", Visibility = RoomVisibility.Private }, members: [bob]);
        var room = made.Room;
        Assert.Equal((RoomRole.Owner, true, 2L), (made.Role, made.Joined, made.Members));
        var taken = await Assert.ThrowsAsync<ChatException>(() => member.Rooms.CreateAsync(room: room));
        Assert.Equal(("exists", 409), (taken.Code, taken.Status));

        Assert.Equal("All about tea", (await owner.Rooms.UpdateAsync(room, new RoomSettings { Topic = "All about tea" })).Topic);
        Assert.Equal(RoomRole.Moderator, (await owner.Rooms.SetRoleAsync(room, bob, RoomRole.Moderator)).Role);
        Assert.Equal(RoomRole.Moderator, (await member.Rooms.GetAsync(room)).Role);
        Assert.Equal(RoomRole.Member, (await member.Rooms.AddMemberAsync(room, eve)).Role);
        var stranger = await Assert.ThrowsAsync<ChatException>(() => User(ChatSystem.Unique("stranger")).Rooms.GetAsync(room));
        Assert.Equal(ErrorCodes.NotFound, stranger.Code);
        await member.Rooms.MuteAsync(room, eve);
        Assert.Equal(ErrorCodes.Forbidden, (await Assert.ThrowsAsync<ChatException>(() => User(eve).SendAsync(room, "loud"))).Code);
        await member.Rooms.UnmuteAsync(room, eve);

        var word = ChatSystem.Unique("word").Replace("-", "", StringComparison.Ordinal);
        var sent = await owner.SendAsync(room, $"a {word} for @bob", new ChatMessageOptions { Mentions = [bob], Meta = """{"a":1}""" });
        var page = await ChatSystem.EventuallyAsync(
            () => member.SearchAsync(word, Conversation.Room(room)), page => page.Items.Count == 1);
        Assert.Equal((sent.Seq, Conversation.Room(room), """{"a":1}"""), (page.Items[0].Seq, page.Items[0].Conversation, page.Items[0].Meta));
        Assert.Equal(($"a {word} for @bob", alice), await OnlyMessageAsync(member, Conversation.Room(room)));
        await Server().SendToUserAsync(bob, $"{word} to you", new ChatServerMessageOptions { From = alice });
        await Server().SendToUserAsync(alice, $"{word} to you too", new ChatServerMessageOptions { From = bob });
        var everywhere = await ChatSystem.EventuallyAsync(() => owner.SearchAsync(word), found => found.Items.Count == 3);
        Assert.Equal(
            [Conversation.With(bob), Conversation.With(bob), Conversation.Room(room)], everywhere.Items.Select(found => found.Conversation));
        var overview = (await member.ConversationsAsync()).Items.Single(item => item.Conversation == Conversation.Room(room));
        Assert.Equal((1L, 1L, sent.Seq), (overview.Unread, overview.Mentions, overview.Last!.Seq));

        await using (await system.ConnectAsync(bob))
        {
            await ChatSystem.EventuallyAsync(() => owner.PresenceAsync(bob), presence => presence is { Online: true });
            Assert.Equal([true, false], (await owner.PresenceAsync([bob, alice])).Select(presence => presence.Online));
            Assert.Contains((await owner.UsersAsync(bob)), user => user.User == bob);
        }

        await member.Rooms.BanAsync(room, eve, reason: "spam");
        Assert.Equal([new RoomBan(eve, null, "spam", bob)], await member.Rooms.BansAsync(room));
        await member.Rooms.UnbanAsync(room, eve);
        await member.Rooms.RemoveMemberAsync(room, bob);
        var members = new List<RoomMember>();
        await foreach (var one in owner.Rooms.AllMembersAsync(room))
        {
            members.Add(one);
        }

        Assert.Equal([new RoomMember(alice, RoomRole.Owner) { Read = sent.Seq }], members.Select(one => one with { Read = sent.Seq }));
        Assert.Contains((await owner.Rooms.ListAsync("tea")).Items, item => item.Room == room);
        await owner.Rooms.DeleteAsync(room);
        Assert.Equal(404, (await Assert.ThrowsAsync<ChatException>(() => owner.Rooms.GetAsync(room))).Status);
    }

    private static async Task<(string Content, string From)> OnlyMessageAsync(ChatApi api, Conversation conversation)
    {
        var message = Assert.Single((await api.HistoryAsync(conversation)).Items.OfType<MessageSent>());
        return (message.Content, message.From);
    }

    private ChatServerClient Server() => new(_http, new ChatServerClientOptions
    {
        Gateway = system.Gateway, TokenProvider = async _ => await system.TokenAsync("backend", "chat:admin"),
    });

    /// <summary>The user, with one token for all calls.</summary>
    private ChatApi User(string user)
    {
        Task<string>? token = null;
        return new ChatApi(_http, new ChatApiOptions
        {
            Gateway = system.Gateway, TokenProvider = async _ => await (token ??= system.TokenAsync(user)),
        });
    }
}
