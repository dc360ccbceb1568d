using AspireChat.ConnectionService.Log;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Messages;

/// <summary>What HTTP answers when the log has decided on an event: the one place that knows the statuses.</summary>
internal static class AppendAnswers
{
    /// <summary>Answers a send: 201 with its <c>ack</c>, 200 for a repeated nonce, or why the log refused it.</summary>
    public static async Task WriteSentAsync(this HttpContext context, ConversationEvent e, AppendResult result)
    {
        if (await context.TryRefuseAsync(e, result))
        {
            return;
        }

        var duplicate = result.Status == AppendStatus.Duplicate;
        var (room, to) = e.Conversation.IsRoom ? (e.Conversation.RoomId, (string?)null) : (null, e.Conversation.Other(e.From));
        context.Response.StatusCode = duplicate ? StatusCodes.Status200OK : StatusCodes.Status201Created;
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.Body.WriteAsync(
            ServerFrameCodec.Encode(new AckFrame(
                e.Nonce, result.Id, result.Seq, result.Epoch, Timestamps.ToText(result.Timestamp), room, to, duplicate ? true : null)),
            context.RequestAborted);
    }

    /// <summary>Answers why an event was refused. False: it was not refused, and nothing was written.</summary>
    public static async Task<bool> TryRefuseAsync(this HttpContext context, ConversationEvent e, AppendResult result)
    {
        var (status, detail, code) = result.Status switch
        {
            AppendStatus.Accepted or AppendStatus.Duplicate => (0, "", ""),
            AppendStatus.NotMember => (403, "only members may send to this room", ErrorCodes.Forbidden),
            AppendStatus.Forbidden => (403, "you may not send to this room", ErrorCodes.Forbidden),
            AppendStatus.NotAuthor => (403, "only its author may change a message", ErrorCodes.Forbidden),
            AppendStatus.NoSuchRoom => (404, "there is no such room", ErrorCodes.NotFound),
            AppendStatus.NoSuchTarget when e.Target != 0 => (404, "there is no such message", ErrorCodes.NotFound),
            AppendStatus.NoSuchTarget => (404, "replyTo: there is no such event", ErrorCodes.NotFound),
            AppendStatus.TooManyRevisions or AppendStatus.TooManyEmojis => (429, "the message takes no more such changes", ErrorCodes.Limit),
            AppendStatus.TooManyDirects => (429, "too many direct conversations begun in this hour", ErrorCodes.Limit),
            _ => (503, "the log can't be reached; nothing was accepted", ErrorCodes.Unavailable),
        };
        if (status == 0)
        {
            return false;
        }

        TimeSpan? wait = result.RetryAfter > 0 ? TimeSpan.FromMilliseconds(result.RetryAfter) : null;
        await context.WriteProblemAsync(status, detail, code, wait);
        return true;
    }
}
