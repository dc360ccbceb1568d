using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Rooms;

/// <summary>What a room answers to joins and leaves, other than <c>joined</c>.</summary>
internal static class RoomFrames
{
    public static OutboundFrame Left(string room, RawJson? reference, string? reason = null) =>
        OutboundFrame.Of(new LeftFrame(room, reference) { Reason = reason });

    public static OutboundFrame LastOwner(RawJson? reference) =>
        Error(ErrorCodes.Forbidden, "you are the last owner: name another one first", reference);

    public static OutboundFrame Refusal(JoinRefusal refusal, RawJson? reference) => refusal switch
    {
        JoinRefusal.Forbidden => Error(ErrorCodes.Forbidden, "you may not join this room", reference),
        JoinRefusal.NotFound or JoinRefusal.Deleted => Error(ErrorCodes.NotFound, "there is no such room", reference),
        JoinRefusal.TooManyCreated => Error(ErrorCodes.Limit, "too many rooms created in this hour", reference),
        JoinRefusal.RoomIsFull => Error(ErrorCodes.Limit, "the room has as many members as it may have", reference),
        _ => Error(ErrorCodes.Limit, "you are a member of too many rooms: leave one first", reference),
    };

    public static OutboundFrame Unavailable(RawJson? reference, int retryAfter) =>
        Error(ErrorCodes.Unavailable, "the log can't be reached", reference, retryAfter);

    private static OutboundFrame Error(string code, string message, RawJson? reference, int? retryAfter = null) =>
        OutboundFrame.Of(new ErrorFrame(code, message, null, reference, retryAfter));
}
