using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs;

internal static class ResumedFrames
{
    /// <summary>A <c>resumed</c> as the receiver of the feed sees it.</summary>
    public static OutboundFrame Of(FeedId feed, long seq, long head, bool complete, string epoch, RawJson? reference) => OutboundFrame.Of(
        feed.User is null
            ? new ResumedFrame(feed.Key.RoomId, null, seq, head, complete, epoch, reference)
            : new ResumedFrame(null, feed.Key.Other(feed.User), seq, head, complete, epoch, reference));
}
