using AspireChat.ConnectionService.Log;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;

namespace AspireChat.ConnectionService.Messages;

internal static class AckAnswer
{
    /// <summary>Answers an accepted send with its <c>ack</c>: 201, or 200 for a repeated nonce.</summary>
    public static async Task WriteAckAsync(this HttpContext context, string nonce, AppendResult result, string? room, string? to)
    {
        var duplicate = result.Status == AppendStatus.Duplicate;
        context.Response.StatusCode = duplicate ? StatusCodes.Status200OK : StatusCodes.Status201Created;
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.Body.WriteAsync(
            ServerFrameCodec.Encode(new AckFrame(
                nonce, result.Id, result.Seq, result.Epoch, Timestamps.ToText(result.Timestamp), room, to, duplicate ? true : null)),
            context.RequestAborted);
    }
}
