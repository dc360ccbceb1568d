using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.DeadLetters;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Erasure;

/// <summary>
/// What a user left in Redis: tails, memberships, cursors, dead letters. Thread-safe; throws what <see cref="RedisFaults"/> knows when Redis
/// cannot be asked.
/// </summary>
internal sealed class TailContent(IConnectionMultiplexer redis, DeadLetterQueue letters, TimeProvider time)
{
    /// <summary>Entries that one call looks at: well under a millisecond of Redis.</summary>
    private const int EntriesPerCall = 128;

    /// <summary>What leave.lua answers of the last owner of a room that has other members.</summary>
    private const long IsLastOwner = -4;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Ends all memberships of rooms. Nodes hear of it as of any other leave.</summary>
    public async Task LeaveRoomsAsync(string user, CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase();
        await foreach (var name in RedisScan.MembersAsync(database, RedisKeys.UserRooms(user), cancellationToken))
        {
            var room = name.ToString();
            var key = ConversationKey.Room(room);
            var keys = RedisKeys.OfMembership(key);
            var (now, bell) = (time.GetUtcNow().ToUnixTimeMilliseconds(), RedisChannels.LogBell(key.Partition));
            var left = await UntilOpenAsync(
                () => database.ScriptEvaluateAsync(RedisScripts.Leave, keys, [key.Value, room, user, now, bell, RedisChannels.User(user)]),
                cancellationToken);
            if ((long)left[1] == IsLastOwner)
            {
                // The server removes whom the room's rules keep. It is left without an owner, whom the server can name.
                await UntilOpenAsync(
                    () => database.ScriptEvaluateAsync(
                        RedisScripts.Member,
                        keys,
                        [
                            key.Value, room, now, bell, RedisChannels.Room(room), UserIds.System, "S", "remove", user, RedisChannels.User(user),
                            "", 0, "", 0, "",
                        ]),
                    cancellationToken);
            }

            await database.SetRemoveAsync(RedisKeys.UserRooms(user), room);
        }
    }

    /// <summary>Nobody is shown the user's name or picture any more, and the user is no longer known.</summary>
    public Task ForgetProfileAsync(string user) =>
        redis.GetDatabase().HashDeleteAsync(RedisKeys.Users(ConversationKey.Own(user).Partition), user);

    /// <summary>
    /// Takes the content out of the user's messages and edits in the tail of one conversation, then makes the nodes forget what they have
    /// of it in memory.
    /// </summary>
    public async Task EraseAsync(ConversationKey conversation, string user, CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase();
        for (var next = 1L; next > 0;)
        {
            var from = next;
            var reply = await UntilOpenAsync(
                () => database.ScriptEvaluateAsync(
                    RedisScripts.Erase,
                    [RedisKeys.Epoch(conversation.Partition), RedisKeys.Tail(conversation), RedisKeys.Revisions(conversation)],
                    [user, from, EntriesPerCall]),
                cancellationToken);
            next = (long)reply[1];
        }

        if (!conversation.IsRoom)
        {
            await database.HashDeleteAsync(RedisKeys.Members(conversation), user);
        }

        await ContentGone.TellAsync(redis, conversation);
    }

    /// <summary>Gives up the dead letters with what the user wrote: they will never be in the history.</summary>
    public async Task DiscardLettersAsync(string user)
    {
        foreach (var letter in await letters.ListAsync(int.MaxValue))
        {
            if (letter.Entry.Record is ConversationEvent e && e.From == user)
            {
                await letters.DiscardAsync(letter.Id);
            }
        }
    }

    /// <summary>The reply of a script. While the partition is being opened it is asked again.</summary>
    private async Task<RedisResult[]> UntilOpenAsync(Func<Task<RedisResult>> call, CancellationToken cancellationToken)
    {
        while (true)
        {
            var reply = (RedisResult[])(await call())!;
            if ((string?)reply[0] is { Length: > 0 })
            {
                return reply;
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
