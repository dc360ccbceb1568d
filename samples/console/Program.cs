using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AspireChat.Client;

var gateway = new Uri(args.Length > 0 ? args[0] : "http://localhost:8080");
using var http = new HttpClient { BaseAddress = gateway };
await using var chat = new ChatClient(new ChatClientOptions
{
    Gateway = gateway,
    TokenProvider = async stop => (string)(await http.GetFromJsonAsync<JsonNode>("/dev/token?user=ann", stop))!["token"]!,
});
var events = chat.Events();
await chat.JoinAsync("lobby");
await chat.SendAsync(Conversation.Room("lobby"), "hello");
await foreach (var item in events)
{
    if (item is MessageSent message) { Console.WriteLine($"{message.From}: {message.Content}"); }
}
