using AspireChat.Client;

namespace AspireChat.Tests.Client;

/// <summary>Clients of the fault server, which retry quickly.</summary>
internal static class Clients
{
    public static readonly Conversation Lobby = Conversation.Room("lobby");

    public static ChatClientOptions Options(FaultServer server, string user = "alice") => new()
    {
        Gateway = server.Address,
        TokenProvider = _ => ValueTask.FromResult(user),
        ReconnectDelay = TimeSpan.FromMilliseconds(2),
        MaxReconnectDelay = TimeSpan.FromMilliseconds(50),
        RepairDelay = TimeSpan.FromMilliseconds(2),
        LateAfter = TimeSpan.FromMilliseconds(50),
        AckTimeout = TimeSpan.FromSeconds(1),
        RepairAttempts = 3,
        Random = new Random(7),
    };

    /// <summary>A connected client in the lobby, and the server's side of its connection.</summary>
    public static async Task<(ChatClient Client, ServerSocket Socket)> InLobbyAsync(
        FaultServer server, Func<ChatClientOptions, ChatClientOptions>? with = null)
    {
        var client = new ChatClient(with is null ? Options(server) : with(Options(server)));
        await client.ConnectAsync().WaitAsync(FaultServer.Patience);
        await client.JoinAsync("lobby").WaitAsync(FaultServer.Patience);
        return (client, await server.NextSocketAsync());
    }
}
