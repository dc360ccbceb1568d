using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Log;

/// <summary>Who asks for a change of a room.</summary>
/// <param name="Rights">What their token grants in the room; null: it has no claim.</param>
internal readonly record struct RoomActor(string User, int? Rights, bool IsServer)
{
    public static RoomActor Server => new(UserIds.System, null, IsServer: true);

    /// <summary>As the scripts read it.</summary>
    public RedisValue Authority => IsServer ? "S" : Rights is { } rights ? rights : RedisValue.EmptyString;
}

/// <summary>What member.lua does. The script's word is the lower-case member name.</summary>
internal enum MemberOperation
{
    Add,
    Remove,
    Ban,
    Unban,
    Mute,
    Unmute,
}

internal enum RoomOutcome
{
    /// <summary>It was so before.</summary>
    Unchanged,
    Changed,

    /// <summary>The room, or the membership, is new.</summary>
    Created,

    /// <summary>The room has as many members, bans or mutes as it may.</summary>
    Full,
    Forbidden,
    NotFound,

    /// <summary>The room exists.</summary>
    Exists,
}

/// <param name="At">The moment, microseconds of the log's clock.</param>
/// <param name="Entry">The id of the change in the partition's log; empty: nothing was written.</param>
internal readonly record struct RoomChange(RoomOutcome Outcome, long At, string Entry)
{
    public RoomSettings Settings { get; init; } = RoomSettings.Plain;
}

/// <summary>Fields of a room's settings that a change names, as room.lua reads them: null is not named, <see cref="None"/> takes it away.</summary>
internal sealed record RoomFields(
    RoomVisibility? Visibility = null, RoomSending? Sending = null, string? Name = null, string? Topic = null, string? Meta = null,
    string? RetentionDays = null)
{
    public const string None = "-";
}

/// <summary>
/// Changes of rooms and of what users are in them: room.lua and member.lua. The scripts decide whether the caller may, and tell the members.
/// Thread-safe. Every call throws <see cref="LogUnavailableException"/> when Redis can't be reached or the partition is closed; repeating it is
/// harmless then.
/// </summary>
internal sealed class RoomLog(
    IConnectionMultiplexer redis, IOptions<ConversationLogOptions> options, IOptions<RoomOptions> rooms, TimeProvider time)
{
    private static readonly TimeSpan CommitLook = TimeSpan.FromMilliseconds(20);

    private static readonly string[] Operations = [.. Enum.GetNames<MemberOperation>().Select(name => name.ToLowerInvariant())];

    /// <param name="role">Of <see cref="MemberOperation.Add"/>; None: no role is named.</param>
    /// <param name="until">Of a ban or mute, Unix milliseconds; 0: for ever.</param>
    /// <param name="untilText">The same as clients read it.</param>
    /// <param name="reason">Of a ban: JSON text.</param>
    public async Task<RoomChange> ChangeAsync(
        RoomActor actor, string room, MemberOperation operation, string user, CancellationToken cancellationToken,
        RoomRole role = RoomRole.None, long until = 0, string untilText = "", string reason = "")
    {
        var key = ConversationKey.Room(room);
        var most = operation switch
        {
            MemberOperation.Ban => rooms.Value.BansPerRoom,
            MemberOperation.Mute => rooms.Value.MutesPerRoom,
            _ => options.Value.MembersPerRoom,
        };
        var reply = await CallAsync(
            RedisScripts.Member,
            RedisKeys.OfMembership(key),
            [
                key.Value, room, Now(), RedisChannels.LogBell(key.Partition), RedisChannels.Room(room), actor.User, actor.Authority,
                Operations[(int)operation], user, RedisChannels.User(user), RoomRoles.NameOf(role) ?? "", until, reason, most, untilText,
            ],
            cancellationToken);
        return ToChange(reply);
    }

    /// <param name="operation"><c>create</c>, <c>update</c>, <c>put</c> or <c>delete</c>.</param>
    /// <param name="owned">Who asks becomes the owner of a new room.</param>
    public async Task<RoomChange> ChangeAsync(
        RoomActor actor, string room, string operation, RoomFields fields, bool owned, CancellationToken cancellationToken)
    {
        var key = ConversationKey.Room(room);
        var reply = await CallAsync(
            RedisScripts.Room,
            [
                RedisKeys.Epoch(key.Partition), RedisKeys.Conversation(key), RedisKeys.Members(key), RedisKeys.Log(key.Partition),
                RedisKeys.Rules(key), RedisKeys.Tail(key), RedisKeys.Revisions(key), RedisKeys.FormerMembers(key), RedisKeys.Moves(key.Partition),
            ],
            [
                key.Value, room, Now(), RedisChannels.LogBell(key.Partition), RedisChannels.Room(room), actor.User, actor.Authority, operation,
                fields.Visibility is { } visibility ? RoomSettings.NameOf(visibility) : "",
                fields.Sending is { } sending ? RoomSettings.NameOf(sending) : "",
                fields.Name ?? "", fields.Topic ?? "", fields.Meta ?? "", fields.RetentionDays ?? "", owned ? "1" : "0",
            ],
            cancellationToken);
        var json = (string)reply[4]!;
        return ToChange(reply) with { Settings = json.Length == 0 ? RoomSettings.Plain : RoomSettings.Parse(json) };
    }

    public async Task<RoomView> ReadAsync(string room, string user, CancellationToken cancellationToken)
    {
        try
        {
            return await StandingReader.ReadAsync(redis.GetDatabase(), ConversationKey.Room(room), user).WaitAsync(cancellationToken)
                ?? throw Closed();
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
        {
            throw new LogUnavailableException("Redis can't be reached.", e);
        }
    }

    /// <summary>
    /// Returns once PostgreSQL has the change, or after <see cref="RoomOptions.CommitWait"/>: the change holds all the same, and lists show it a
    /// moment later.
    /// </summary>
    public async Task CommittedAsync(string room, RoomChange change, CancellationToken cancellationToken)
    {
        if (change.Entry.Length == 0)
        {
            return;
        }

        var entry = LogPosition.Parse(change.Entry);
        var partition = ConversationKey.Room(room).Partition;
        var started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < rooms.Value.CommitWait)
        {
            try
            {
                var committed = await redis.GetDatabase().StringGetAsync(RedisKeys.Committed(partition)).WaitAsync(cancellationToken);
                if (!(LogPosition.Parse((string?)committed ?? "") < entry))
                {
                    return;
                }
            }
            catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
            {
                return;
            }

            await Task.Delay(CommitLook, time, cancellationToken);
        }
    }

    /// <summary>Takes the room out of its former members' indexes. Repeating it is harmless.</summary>
    public async Task ForgetMembersAsync(string room, CancellationToken cancellationToken)
    {
        var former = RedisKeys.FormerMembers(ConversationKey.Room(room));
        var database = redis.GetDatabase();
        try
        {
            await foreach (var user in RedisScan.FieldsAsync(database, former, cancellationToken))
            {
                _ = database.SetRemoveAsync(RedisKeys.UserRooms(user.ToString()), room, CommandFlags.FireAndForget);
            }

            await database.KeyDeleteAsync(former);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
        {
            throw new LogUnavailableException("Redis can't be reached.", e);
        }
    }

    /// <summary>Keeps the index of a user's rooms (<see cref="RedisKeys.UserRooms"/>).</summary>
    public void Index(string room, string user, bool member)
    {
        var database = redis.GetDatabase();
        if (member)
        {
            database.SetAdd(RedisKeys.UserRooms(user), room, CommandFlags.FireAndForget);
        }
        else
        {
            database.SetRemove(RedisKeys.UserRooms(user), room, CommandFlags.FireAndForget);
        }
    }

    private static RoomChange ToChange(RedisResult[] reply) => new(
        (int)reply[1] switch
        {
            0 => RoomOutcome.Unchanged,
            1 => RoomOutcome.Changed,
            2 => RoomOutcome.Created,
            -3 => RoomOutcome.Full,
            -4 => RoomOutcome.Forbidden,
            -5 => RoomOutcome.NotFound,
            -6 => RoomOutcome.Exists,
            var other => throw new FormatException($"A script of rooms answered {other}."),
        },
        (long)reply[2],
        (string)reply[3]!);

    private async Task<RedisResult[]> CallAsync(string script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            var reply = (RedisResult[])(await redis.GetDatabase().ScriptEvaluateAsync(script, keys, arguments).WaitAsync(cancellationToken))!;
            return (string?)reply[0] is "" ? throw Closed() : reply;
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
        {
            throw new LogUnavailableException("Redis can't be reached.", e);
        }
    }

    private static LogUnavailableException Closed() => new("The partition is closed.");

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
