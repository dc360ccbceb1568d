using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Rooms;
using StackExchange.Redis;
using System.Text.Json;

namespace AspireChat.RedisLog;

/// <summary>What a user is in a room, and what the room is, at one moment.</summary>
/// <param name="Members">How many there are.</param>
public sealed record RoomView(string Epoch, RoomStanding Standing, RoomSettings Settings, long Head, long Members)
{
    /// <param name="rights">What the user's token grants in the room; null: it has no claim.</param>
    public RoomVerdict May(int? rights, RoomAction action) => RoomRules.May(Standing, rights, action);

    /// <summary>The room as HTTP answers it, seen by the user.</summary>
    public void Write(Utf8JsonWriter json, string room)
    {
        json.WriteStartObject();
        json.WriteString("room"u8, room);
        Settings.Write(json);
        json.WriteNumber("members"u8, Members);
        json.WriteNumber("head"u8, Head);
        json.WriteBoolean("joined"u8, Standing.Role != RoomRole.None);
        if (RoomRoles.NameOf(Standing.Role) is { } role)
        {
            json.WriteString("role"u8, role);
        }

        json.WriteEndObject();
    }
}

/// <summary>Reads <see cref="RoomView"/>s: standing.lua. Thread-safe; throws what <see cref="RedisFaults"/> knows when Redis cannot be asked.</summary>
public static class StandingReader
{
    /// <summary>Null while the partition is closed: nothing may be answered then.</summary>
    /// <param name="user">Empty: nobody.</param>
    public static async Task<RoomView?> ReadAsync(IDatabase redis, ConversationKey room, string user)
    {
        var reply = (RedisResult[])(await redis.ScriptEvaluateAsync(
            RedisScripts.Standing,
            [RedisKeys.Epoch(room.Partition), RedisKeys.Conversation(room), RedisKeys.Members(room), RedisKeys.Rules(room)],
            [user]))!;
        if ((string)reply[0]! is not { Length: > 0 } epoch)
        {
            return null;
        }

        var settings = RoomSettings.Parse((string)reply[7]!);
        var standing = new RoomStanding(
            (long)reply[1] == 1, settings.Visibility, settings.Sending, (RoomRole)(int)reply[2], (long)reply[3] == 1, (long)reply[4] == 1);
        return new RoomView(epoch, standing, settings, (long)reply[5], (long)reply[6]);
    }
}
