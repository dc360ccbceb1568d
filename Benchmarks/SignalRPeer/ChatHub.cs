using Microsoft.AspNetCore.SignalR;

namespace AspireChat.SignalRPeer;

/// <summary>
/// The shortest chat in SignalR: groups and direct messages. It has no log, sequence numbers, acknowledgements, tokens or presence, so that
/// SignalR is charged for nothing but delivery.
/// </summary>
internal sealed class ChatHub : Hub
{
    public Task Join(string room) => Groups.AddToGroupAsync(Context.ConnectionId, room);

    public Task Room(string room, string content) =>
        Clients.Group(room).SendAsync("room", room, Context.UserIdentifier, content, DateTimeOffset.FromUnixTimeMilliseconds(Now()));

    public Task Dm(string to, string content) =>
        Clients.Users(to, Context.UserIdentifier!).SendAsync("dm", to, Context.UserIdentifier, content,
            DateTimeOffset.FromUnixTimeMilliseconds(Now()));

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}

/// <summary>The query names the user.</summary>
internal sealed class UserFromQuery : IUserIdProvider
{
    public string? GetUserId(HubConnectionContext connection) => connection.GetHttpContext()?.Request.Query["user"];
}
