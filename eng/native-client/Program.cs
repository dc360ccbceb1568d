// Joins the lobby of the gateway args[0] with the token args[1], sends a message, and prints it as a reader and a view got it. Then it calls
// the server API at args[2], as a user and as a product's backend, and prints what it got of each kind of answer.
using AspireChat.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Gateway"] = args[0] }).Build();
var registrations = new ServiceCollection();
registrations.AddAspireChatClient(configuration, options => options.TokenProvider = _ => ValueTask.FromResult(args[1]));
registrations.AddAspireChatServerClient(options =>
{
    options.Gateway = new Uri(args[2]);
    options.TokenProvider = _ => ValueTask.FromResult(args[1]);
});
var services = registrations.BuildServiceProvider();
await using (services)
{
    var chat = services.GetRequiredService<IChatClient>();
    var lobby = Conversation.Room("lobby");
    await chat.JoinAsync("lobby");
    using var view = chat.View(lobby);
    var reader = chat.Events(lobby);
    var sent = await chat.SendAsync(lobby, "hello from native code", new ChatMessageOptions { Meta = "{\"native\":true}" });
    await foreach (var item in reader)
    {
        if (item is MessageSent message && message.Seq == sent.Seq)
        {
            var page = await chat.Api.HistoryAsync(lobby);
            Console.WriteLine($"{message.Content}|{view.Current.Messages[^1].Content}|{((MessageSent)page.Items[0]).Meta}");
            break;
        }
    }

    using var http = new HttpClient();
    var user = new ChatApi(http, new ChatApiOptions { Gateway = new Uri(args[2]), TokenProvider = _ => ValueTask.FromResult(args[1]) });
    var found = (await user.SearchAsync("report")).Items[0];
    var made = await user.Rooms.CreateAsync(new RoomSettings { Name = "Tea", Sending = RoomSending.Moderators }, members: ["bob"]);
    await user.Rooms.BanAsync("tea", "eve", DateTimeOffset.UnixEpoch, "spam");
    var presence = await user.PresenceAsync(["bob"]);
    Console.WriteLine($"{found.Conversation}: {found.Content}|{made.Visibility}|{presence.Count}|{await user.AllConversationsAsync().CountAsync()}");

    var server = services.GetRequiredService<ChatServerClient>();
    var told = await server.SendToRoomAsync("tea", "on its way", new ChatServerMessageOptions { From = "shop", Nonce = "n1", Meta = "{\"order\":1}" });
    var erasure = await server.Users.EraseAsync("bob");
    var letters = await server.Webhooks.DeadLettersAsync();
    var refusal = "";
    try
    {
        await server.Rooms.AddMembersAsync("gone", ["bob"], RoomRole.Moderator);
    }
    catch (ChatException e)
    {
        refusal = e.Code;
    }

    Console.WriteLine($"{told.Seq}|{erasure.Status}|{letters.Items[0].Error}|{refusal}");
}
