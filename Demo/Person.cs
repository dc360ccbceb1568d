using System.Net.Http.Json;
using System.Text.Json;
using AspireChat.Client;

namespace AspireChat.Demo;

/// <summary>
/// One of five simulated people. Each joins the rooms, types, writes, reacts, sends direct messages and reads the others' messages.
/// </summary>
internal sealed class Person(string name, Uri gateway)
{
    public static readonly IReadOnlyList<string> All = ["ada", "grace", "edsger", "barbara", "tony"];

    private static readonly string[] Rooms = ["lobby", "team-1"];

    private static readonly string[] Lines =
    [
        "Good morning!", "The build is green.", "Who takes the review?", "I do.", "Lunch at noon?", "The new dashboard looks good.",
        "A replica went away and nobody noticed.", "Ship it.", "Let me look at the trace.", "Done.",
    ];

    private static readonly string[] Emojis = ["👍", "🎉", "❤️"];

    // The five write about two messages a second together: enough to watch, and slow enough to follow a single message.
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Typing = TimeSpan.FromMilliseconds(600);

    private readonly HttpClient _http = new() { BaseAddress = gateway };

    /// <summary>Chats until it is cancelled. The client library replaces lost connections.</summary>
    public async Task ChatAsync(CancellationToken cancellationToken)
    {
        await using var chat = new ChatClient(new ChatClientOptions { Gateway = gateway, TokenProvider = TokenAsync });
        try
        {
            await chat.ConnectAsync(cancellationToken);
            foreach (var room in Rooms)
            {
                await chat.JoinAsync(room, cancellationToken: cancellationToken);
            }

            Console.WriteLine($"{name} is here.");
            await Task.WhenAll(ReadAsync(chat, cancellationToken), WriteAsync(chat, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Console.WriteLine($"{name} leaves.");
        }
        _http.Dispose();
    }

    private async Task WriteAsync(ChatClient chat, CancellationToken cancellationToken)
    {
        while (true)
        {
            await PauseAsync(Shortest + ((Longest - Shortest) * Random.Shared.NextDouble()), cancellationToken);
            var conversation = Random.Shared.Next(5) == 0
                ? Conversation.With(Pick(All.Where(other => other != name).ToList()))
                : Conversation.Room(Pick(Rooms));
            chat.Typing(conversation);
            await PauseAsync(Typing, cancellationToken);
            try
            {
                var accepted = await chat.SendAsync(conversation, Pick(Lines), cancellationToken: cancellationToken);
                Console.WriteLine($"{name} wrote {conversation} {accepted.Seq}.");
            }
            catch (ChatException e)
            {
                Console.Error.WriteLine($"{name} could not write to {conversation}: {e.Message}");
            }
        }
    }

    private async Task ReadAsync(ChatClient chat, CancellationToken cancellationToken)
    {
        await foreach (var item in chat.Events(cancellationToken))
        {
            switch (item)
            {
                case MessageSent message when message.From != name:
                    chat.MarkRead(message.Conversation, message.Seq);
                    if (Random.Shared.Next(10) == 0)
                    {
                        await chat.ReactAsync(message.Conversation, message.Seq, Pick(Emojis), cancellationToken: cancellationToken);
                    }

                    break;
                case ChatConnectionChanged change:
                    Console.WriteLine($"{name}: {change.State}.");
                    break;
            }
        }
    }

    private async ValueTask<string> TokenAsync(CancellationToken cancellationToken)
    {
        using var answer = await _http.PostAsJsonAsync("/dev/token", new { user = name }, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("token").GetString()!;
    }

    private static Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken) => Task.Delay(pause, TimeProvider.System, cancellationToken);

    private static T Pick<T>(IReadOnlyList<T> items) => items[Random.Shared.Next(items.Count)];
}
