using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Log;

/// <summary>
/// What a user may add to the log in a period, whichever nodes they use. Thread-safe. Every call throws <see cref="LogUnavailableException"/> when Redis
/// can't be reached; nothing was counted then, or it may be.
/// </summary>
internal interface IUserQuotas
{
    /// <summary>Counts the conversation if it would be a new one.</summary>
    /// <returns>Zero: the user may write to it. Otherwise they may begin another one after this time.</returns>
    Task<TimeSpan> BeginDirectAsync(ConversationKey conversation, string user, CancellationToken cancellationToken);

    /// <summary>Counts a room that the user creates otherwise than by a join.</summary>
    /// <returns>Zero: the user may create it. Otherwise they may create another one after this time.</returns>
    Task<TimeSpan> CreateRoomAsync(string user, CancellationToken cancellationToken);

    /// <summary>The user is a member of the room, or of fewer rooms than they may be.</summary>
    Task<bool> HasSpaceForRoomAsync(string user, string room, CancellationToken cancellationToken);

    /// <summary>Counts bytes that were written already.</summary>
    /// <returns>Zero, or how long the user must not write any more: as much as they may in a day was counted before these.</returns>
    Task<TimeSpan> SpendBytesAsync(string user, long bytes, CancellationToken cancellationToken);
}

/// <summary>The quotas in Redis: a number for each, which expires with its period.</summary>
internal sealed class UserQuotas(IConnectionMultiplexer redis, IConversationLog log, IOptions<ConversationLogOptions> options) : IUserQuotas
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public async Task<TimeSpan> BeginDirectAsync(ConversationKey conversation, string user, CancellationToken cancellationToken)
    {
        // Of a closed partition nothing is known. The append that follows is answered unavailable.
        var heads = await log.ReadHeadsAsync([conversation], cancellationToken);
        return heads.TryGetValue(conversation, out var state) && state.Head == 0
            ? await SpendAsync(RedisKeys.UserDirects(user), 1, options.Value.DirectsBegunPerHour, Hour, cancellationToken)
            : TimeSpan.Zero;
    }

    public Task<TimeSpan> CreateRoomAsync(string user, CancellationToken cancellationToken) =>
        SpendAsync(RedisKeys.UserCreations(user), 1, options.Value.RoomsCreatedPerHour, Hour, cancellationToken);

    public async Task<bool> HasSpaceForRoomAsync(string user, string room, CancellationToken cancellationToken)
    {
        try
        {
            var database = redis.GetDatabase();
            var rooms = database.SetLengthAsync(RedisKeys.UserRooms(user));
            var isIn = database.SetContainsAsync(RedisKeys.UserRooms(user), room);
            await Task.WhenAll(rooms, isIn).WaitAsync(cancellationToken);
            return await isIn || await rooms < options.Value.RoomsPerUser;
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
        {
            throw new LogUnavailableException("Redis can't be reached.", e);
        }
    }

    public Task<TimeSpan> SpendBytesAsync(string user, long bytes, CancellationToken cancellationToken) =>
        SpendAsync(RedisKeys.UserBytes(user), bytes, options.Value.BytesPerDay, Day, cancellationToken);

    private async Task<TimeSpan> SpendAsync(string key, long amount, long most, TimeSpan period, CancellationToken cancellationToken)
    {
        try
        {
            var left = await redis.GetDatabase()
                .ScriptEvaluateAsync(RedisScripts.Spend, [key], [amount, most, (long)period.TotalMilliseconds])
                .WaitAsync(cancellationToken);
            return TimeSpan.FromMilliseconds((long)left);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
        {
            throw new LogUnavailableException("Redis can't be reached.", e);
        }
    }
}
