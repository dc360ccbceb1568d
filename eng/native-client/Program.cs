// Joins the lobby of the gateway args[0] with the token args[1], sends a message, and prints it as a reader and a view got it.
using AspireChat.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Gateway"] = args[0] }).Build();
var registrations = new ServiceCollection();
registrations.AddAspireChatClient(configuration, options => options.TokenProvider = _ => ValueTask.FromResult(args[1]));
var services = registrations.BuildServiceProvider();
await using (services)
{
    var chat = services.GetRequiredService<IChatClient>();
    var lobby = Conversation.Room("lobby");
    await chat.JoinAsync("lobby");
    using var view = chat.View(lobby);
    var reader = chat.Events(lobby);
    var accepted = await chat.SendAsync(lobby, "hello from native code", new ChatMessageOptions { Meta = "{\"native\":true}" });
    await foreach (var item in reader)
    {
        if (item is MessageSent message && message.Seq == accepted.Seq)
        {
            var page = await chat.HistoryAsync(lobby);
            Console.WriteLine($"{message.Content}|{view.Current.Messages[^1].Content}|{((MessageSent)page.Items[0]).Meta}");
            break;
        }
    }
}
