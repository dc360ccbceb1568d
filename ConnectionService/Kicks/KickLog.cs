using AspireChat.ConnectionService.Log;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Kicks;

/// <summary>
/// Gives operators' orders about users. Pub/sub carries them at once, but a replica whose subscription is away does not hear them. So they
/// stand in a stream as well, and every service reads on (<see cref="UserOrders"/>). Thread-safe.
/// </summary>
internal sealed class KickLog(UserOrders orders)
{
    /// <summary>Closes the user's sockets.</summary>
    /// <exception cref="RedisException">Redis can't be reached: the order may or may not be carried out.</exception>
    public Task DisconnectAsync(string user) => orders.GiveAsync(user, [new(KickFields.User, user)]);

    /// <summary>Revokes the user's tokens that were issued until now, and closes the sockets that they opened.</summary>
    /// <exception cref="RedisException">
    /// Redis can't be reached: the order may or may not be carried out, and is harmless to repeat.
    /// </exception>
    /// <exception cref="LogUnavailableException">The user's partition is closed: nothing was done.</exception>
    public async Task RevokeAsync(string user)
    {
        if (!await orders.TryRevokeAsync(user))
        {
            throw new LogUnavailableException("The user's partition is closed.");
        }
    }

    /// <summary>
    /// Keeps removals from a room for the replicas that pub/sub does not reach. Call it after the log has them, and before they are answered.
    /// </summary>
    /// <param name="users">Empty: all members.</param>
    /// <param name="at">The moment, microseconds of the clock of the room's log.</param>
    /// <exception cref="RedisException">Redis can't be reached.</exception>
    public Task RemoveAsync(string room, IReadOnlyCollection<string> users, long at, string reason) =>
        Task.WhenAll((users.Count == 0 ? [""] : users).Select(user => orders.KeepAsync(
        [
            new(KickFields.User, user), new(KickFields.Room, room), new(KickFields.At, at), new(KickFields.Reason, reason),
        ])));
}
