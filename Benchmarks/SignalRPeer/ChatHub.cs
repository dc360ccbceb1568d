using Microsoft.AspNetCore.SignalR;

namespace AspireChat.SignalRPeer;

/// <summary>
/// The shortest chat that SignalR can be: groups and direct messages. No log, no numbers, no acknowledgement, no tokens, no presence, so
/// that nothing is charged to SignalR but delivery.
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

/// <summary>The user is whoever the query says.</summary>
internal sealed class UserFromQuery : IUserIdProvider
{
    public string? GetUserId(HubConnectionContext connection) => connection.GetHttpContext()?.Request.Query["user"];
}
