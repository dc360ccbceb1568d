using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.History;

/// <summary>
/// Asks Redis what the caller may read of a room, at the moment of the call. What cannot be asked is not answered: 503. A room that must not be
/// seen is answered like one that does not exist.
/// </summary>
internal static class RoomAccess
{
    /// <summary>What the token grants in the room; null: it has no claim.</summary>
    public static int? RightsIn(this ChatUser user, string room) => (int?)user.Rooms?.For(room);

    /// <summary>The room, if the caller may do this there. Null: the call is answered.</summary>
    public static async Task<RoomView?> AdmitAsync(this HttpContext context, IConnectionMultiplexer redis, string room, RoomAction action)
    {
        if (!RoomIds.IsValid(room))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, $"room must be {RoomIds.Rule}.", ErrorCodes.BadRequest);
            return null;
        }

        var user = ChatUser.From(context.User);
        RoomView? view;
        try
        {
            view = await StandingReader.ReadAsync(redis.GetDatabase(), ConversationKey.Room(room), user.Id);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            view = null;
        }

        if (view is null)
        {
            await context.WriteUnavailableAsync();
            return null;
        }

        switch (view.May(user.RightsIn(room), action))
        {
            case RoomVerdict.Allowed:
                return view;
            case RoomVerdict.Forbidden:
                await context.WriteProblemAsync(
                    StatusCodes.Status403Forbidden, "you may not do this in this room", ErrorCodes.Forbidden);
                return null;
            default:
                await context.WriteProblemAsync(StatusCodes.Status404NotFound, "there is no such room", ErrorCodes.NotFound);
                return null;
        }
    }
}
