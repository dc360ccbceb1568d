using System.Net.Http.Json;
using AspireChat.Client;

using var http = new HttpClient { BaseAddress = new Uri(args.FirstOrDefault("http://localhost:8080")) };
await using var chat = new ChatClient(new ChatClientOptions
{
    Gateway = http.BaseAddress,
    TokenProvider = async stop => (await http.GetFromJsonAsync<Dictionary<string, string>>("/dev/token?user=ann", stop))!["token"],
});
await chat.JoinAsync("lobby");
await chat.SendAsync(Conversation.Room("lobby"), "hello");
await foreach (var item in chat.Events())
{
    if (item is MessageSent message) { Console.WriteLine($"{message.From}: {message.Content}"); }
}
