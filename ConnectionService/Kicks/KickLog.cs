using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Kicks;

/// <summary>One operator's order to disconnect a user.</summary>
/// <param name="At">When it was given, Unix milliseconds of Redis' clock: connections opened later are not meant.</param>
internal readonly record struct Kick(string User, long At);

/// <summary>
/// The recent orders to disconnect users. Pub/sub carries them at once, but a replica whose subscription is away does not hear them. So they are
/// kept a while as well, and every replica reads on. Thread-safe.
/// </summary>
internal sealed class KickLog(IConnectionMultiplexer redis)
{
    /// <summary>Kept at least; a replica reads twice a second.</summary>
    private const int Kept = 1_000;

    /// <exception cref="RedisException">Redis can't be reached: the order may or may not be carried out.</exception>
    public async Task AddAsync(string user)
    {
        await redis.GetDatabase().StreamAddAsync(
            RedisKeys.Kicks, [new(KickFields.User, user)], maxLength: Kept, useApproximateMaxLength: true);
        await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisChannels.User(user)), new PubSubMessage.Kick().Encode());
    }

    /// <summary>The orders given after the one at <paramref name="place"/>, and the place of the last.</summary>
    public async Task<(IReadOnlyList<Kick> Kicks, string Place)> ReadAsync(string place)
    {
        var entries = await redis.GetDatabase().StreamReadAsync(RedisKeys.Kicks, place, Kept);
        return ([.. entries.Select(ToKick)], entries.Length > 0 ? entries[^1].Id! : place);
    }

    private static Kick ToKick(StreamEntry entry) =>
        new((string?)entry[KickFields.User] ?? "", LogPosition.Parse(entry.Id.ToString()).Milliseconds);
}
