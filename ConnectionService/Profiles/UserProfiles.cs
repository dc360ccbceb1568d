using AspireChat.ConnectionService.Log;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Profiles;

/// <summary>
/// Notes who is known and how users are shown, as tokens and the server say it: the later one wins. A change is passed on to the nodes that
/// serve the user at once, and to the members of the user's rooms by the <see cref="ProfileAnnouncer"/>. Thread-safe.
/// </summary>
internal sealed class UserProfiles(IConnectionMultiplexer redis, ProfileAnnouncer announcer, TimeProvider time)
{
    /// <summary>A connect does not wait longer than this to be noted.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// The user connected, or brought a new token. Returns the profile in force; if Redis does not answer in time, what the token says, and
    /// it is noted later.
    /// </summary>
    public async Task<UserProfile?> ConnectedAsync(string user, UserProfile? profile)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        try
        {
            if (redis.IsConnected)
            {
                return await ApplyAsync(user, profile, now, isWhole: false).WaitAsync(Patience, time);
            }
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is LogUnavailableException)
        {
            // Noted later.
        }
        announcer.Later(user, () => ApplyAsync(user, profile, now, isWhole: false));
        return profile;
    }

    /// <summary>The server sets the profile; null takes it away.</summary>
    /// <exception cref="RedisException">Redis can't be reached.</exception>
    /// <exception cref="LogUnavailableException">The user's partition is closed: nothing was done.</exception>
    public Task SetAsync(string user, UserProfile? profile) =>
        ApplyAsync(user, profile, time.GetUtcNow().ToUnixTimeMilliseconds(), isWhole: true);

    /// <summary>The name in force, for a message that comes without a connection; null also when Redis can't be asked.</summary>
    public async Task<string?> NameOfAsync(string user)
    {
        try
        {
            var profiles = await StoredProfiles.ReadAsync(redis.GetDatabase(), [user]).WaitAsync(Patience, time);
            return profiles.TryGetValue(user, out var profile) ? ProfileJson.Decode(profile.Text)?.Name : null;
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            return null;
        }
    }

    private async Task<UserProfile?> ApplyAsync(string user, UserProfile? profile, long at, bool isWhole)
    {
        var own = ConversationKey.Own(user);
        var reply = (RedisResult[])(await redis.GetDatabase().ScriptEvaluateAsync(
            RedisScripts.Profile,
            [RedisKeys.Epoch(own.Partition), RedisKeys.Users(own.Partition), RedisKeys.Log(own.Partition)],
            [own.Value, user, ProfileJson.Encode(profile), at, RedisChannels.LogBell(own.Partition), isWhole ? "1" : "0"]))!;
        if ((string?)reply[0] is "")
        {
            throw new LogUnavailableException("The user's partition is closed.");
        }

        var json = (string)reply[1]!;
        if ((int)reply[2] == 1)
        {
            // Not waited for: a node that does not hear it learns the profile with the user's next connect.
            await redis.GetSubscriber().PublishAsync(
                RedisChannel.Literal(RedisChannels.User(user)), new PubSubMessage.Profile(json).Encode(), CommandFlags.FireAndForget);
            announcer.Announce(user);
        }
        return ProfileJson.Decode(json);
    }
}
