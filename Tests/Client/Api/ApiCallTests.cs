using AspireChat.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Client.Api;

/// <summary>What the HTTP clients ask, and what they make of answers.</summary>
public sealed class ApiCallTests : IAsyncLifetime
{
    private ServerClients _clients = null!;

    private ScriptedApi Api => _clients.Api;

    private ChatServerClient Client => _clients.Client;

    public async Task InitializeAsync() => _clients = await ServerClients.StartAsync();

    public Task DisposeAsync() => _clients.DisposeAsync().AsTask();

    [Fact]
    public async Task A_setting_that_is_null_stays_and_one_that_is_empty_is_taken_away()
    {
        await Client.Rooms.UpdateAsync("tea", new RoomSettings
        {
            Name = "Tea \"room\" ä", Topic = "", Visibility = RoomVisibility.Private, Meta = "{ \"color\": \"green\" }", RetentionDays = 0,
        });
        await Client.Rooms.PutAsync("tea", new RoomSettings { Sending = RoomSending.Moderators, Meta = "", RetentionDays = 30 });

        Assert.Equal(
            [
                """{"name":"Tea \"room\" ä","topic":null,"visibility":"private","meta":{"color":"green"},"retentionDays":null}""",
                """{"sending":"moderators","meta":null,"retentionDays":30}""",
            ],
            Api.Calls.Select(call => call.Body));
    }

    [Fact]
    public async Task A_message_carries_all_that_it_was_given()
    {
        await Client.SendToUserAsync("auth0|64f", "your order is on its way", new ChatServerMessageOptions
        {
            From = "shop", Nonce = "order-1", ReplyTo = 7, Mentions = ["bob"], Meta = """{"order":1}""",
        });

        var call = Assert.Single(Api.Calls);
        Assert.Equal("POST /api/admin/dms/auth0%7C64f/messages", call.ToString());
        Assert.Equal(
            """{"content":"your order is on its way","nonce":"order-1","from":"shop","replyTo":7,"mentions":["bob"],"meta":{"order":1}}""",
            call.Body);
    }

    [Fact]
    public async Task A_repeated_nonce_is_answered_with_the_place_of_the_first()
    {
        Api.Then(ScriptedApi.Json(
            200, """{"type":"ack","nonce":"order-1","id":"i7","seq":7,"epoch":"e1","timestamp":"2026-01-31T23:59:59.123Z","duplicate":true}"""));

        var sent = await Client.SendToRoomAsync("tea", "hello", new ChatServerMessageOptions { Nonce = "order-1" });

        Assert.Equal(
            new SendReceipt(Conversation.Room("tea"), "order-1", "i7", 7, "e1", new DateTimeOffset(2026, 1, 31, 23, 59, 59, 123, TimeSpan.Zero), true),
            sent);
    }

    [Fact]
    public async Task All_pages_of_a_list_are_read_one_when_the_one_before_is_used_up()
    {
        Api.Then(ScriptedApi.Json(200, """{"items":[{"room":"a","members":1,"head":0,"joined":false}],"next":"a b"}"""))
            .Then(ScriptedApi.Json(200, """{"items":[],"next":"c"}"""))
            .Then(ScriptedApi.Json(200, """{"items":[{"room":"d","members":1,"head":0,"joined":false}],"next":null}"""));

        var rooms = new List<string>();
        await foreach (var room in Client.Rooms.AllAsync("order &"))
        {
            Assert.Equal(rooms.Count == 0 ? 1 : 3, Api.Calls.Count);
            rooms.Add(room.Room);
        }

        Assert.Equal(["a", "d"], rooms);
        Assert.Equal(
            [
                "GET /api/admin/rooms?query=order%20%26&limit=200",
                "GET /api/admin/rooms?query=order%20%26&after=a%20b&limit=200",
                "GET /api/admin/rooms?query=order%20%26&after=c&limit=200",
            ],
            Api.Calls.Select(call => call.ToString()));
    }

    [Fact]
    public async Task A_room_is_read_whole_and_words_of_a_later_version_do_no_harm()
    {
        Api.Then(ScriptedApi.Json(
            200,
            """
            {"room":"tea","name":"Tea room","topic":"All about tea","visibility":"private","sending":"bots","meta":{"color":"green"},
             "retentionDays":30,"created":"2026-01-31T23:59:59.123Z","members":2,"head":46,"joined":true,"role":"owner","later":[1]}
            """));

        var room = await _clients.User.Rooms.GetAsync("tea");

        Assert.Equal(
            new RoomInfo
            {
                Room = "tea", Name = "Tea room", Topic = "All about tea", Visibility = RoomVisibility.Private, Sending = RoomSending.Moderators,
                Meta = """{"color":"green"}""", RetentionDays = 30, Created = new DateTimeOffset(2026, 1, 31, 23, 59, 59, 123, TimeSpan.Zero),
                Members = 2, Head = 46, Joined = true, Role = RoomRole.Owner,
            },
            room);
    }

    [Fact]
    public async Task A_message_that_is_found_is_in_its_conversation_as_the_user_sees_it()
    {
        Api.Then(ScriptedApi.Json(
            200,
            """
            {"items":[
              {"type":"room","id":"i1","seq":9,"room":"tea","from":"bob","content":"report","timestamp":"2026-01-31T23:59:59.123Z"},
              {"type":"dm","id":"i2","seq":2,"from":"bob","to":"me","content":"report","timestamp":"2026-01-31T23:59:59.123Z"},
              {"type":"dm","id":"i3","seq":3,"from":"me","to":"eve","content":"report","timestamp":"2026-01-31T23:59:59.123Z","nonce":"n"}],
             "profiles":{"bob":{"name":"Bob"}},"next":"x"}
            """));

        var page = await _clients.User.SearchAsync("report", from: "bob", limit: 3);

        Assert.Equal("GET /api/search?q=report&from=bob&limit=3", Api.Calls.Single().ToString());
        Assert.Equal(["#tea", "@bob", "@eve"], page.Items.Select(found => found.Conversation.ToString()));
        Assert.Equal(("x", "Bob"), (page.Next, page.Profiles["bob"].Name));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_before_anything_is_sent()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Client.Rooms.DeleteAsync(".."));
        await Assert.ThrowsAsync<ArgumentException>(() => Client.Users.EraseAsync("a/b"));
        await Assert.ThrowsAsync<ArgumentException>(() => Client.Rooms.AddMembersAsync("tea", Enumerable.Range(0, 101).Select(i => $"u{i}")));
        await Assert.ThrowsAsync<ArgumentException>(() => Client.Rooms.UpdateAsync("tea", new RoomSettings { Meta = "[]" }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Client.Users.ListAsync(limit: 201));

        Assert.Empty(Api.Calls);
    }

    [Fact]
    public async Task Clients_made_by_the_factory_share_the_token()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddAspireChatServerClient(options =>
        {
            options.Gateway = Api.Address;
            options.TokenProvider = _clients.Options.TokenProvider;
        });
        using var host = builder.Build();
        await host.StartAsync();

        await host.Services.GetRequiredService<ChatServerClient>().Rooms.PutAsync("tea");
        await host.Services.GetRequiredService<ChatServerClient>().Rooms.PutAsync("tea");

        Assert.Equal(["t1", "t1"], Api.Calls.Select(call => call.Token));
        await host.StopAsync();
    }

    [Fact]
    public async Task An_option_that_cannot_work_stops_the_start_and_is_named()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddAspireChatServerClient(options =>
        {
            options.Gateway = new Uri("/chat", UriKind.Relative);
            options.Deadline = TimeSpan.FromSeconds(1);
        });
        using var host = builder.Build();

        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        foreach (var name in (string[])["Gateway", "TokenProvider", "Deadline"])
        {
            Assert.Contains(refusal.Failures, failure => failure.StartsWith($"ChatServerClientOptions: {name} ", StringComparison.Ordinal));
        }

        Assert.Throws<ArgumentException>(() => new ChatServerClient(new HttpClient(), new ChatServerClientOptions()));
    }

    [Fact]
    public async Task A_gateway_below_a_path_keeps_its_path()
    {
        _clients.Options.Gateway = new Uri(Api.Address, "/chat/");

        await Client.Rooms.DeleteAsync("tea");

        Assert.Equal("DELETE /chat/api/admin/rooms/tea", Api.Calls.Single().ToString());
    }
}
