using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Messages;

/// <summary>
/// Reads <c>{"content","nonce","replyTo"?,"mentions"?,"meta"?}</c>: the <c>room</c> frame without what the address says, so that one set of
/// rules holds for all ways of sending.
/// </summary>
internal static class MessageBody
{
    /// <summary>The body, read no further than <paramref name="longest"/> bytes. Null: it is longer, and 413 was answered.</summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContext context, int longest)
    {
        var buffer = new byte[Math.Min(longest, 4_096) + 1];
        var length = 0;
        while (true)
        {
            var read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted);
            length += read;
            if (read == 0)
            {
                return buffer.AsMemory(0, length);
            }

            if (length > longest)
            {
                await context.WriteProblemAsync(
                    StatusCodes.Status413PayloadTooLarge, $"a message has at most {longest} bytes", ErrorCodes.TooLarge);
                return null;
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(2 * buffer.Length, longest + 1));
            }
        }
    }

    public static bool TryRead(
        ReadOnlyMemory<byte> body, string room, FrameLimits limits, out ClientFrame frame, [NotNullWhen(false)] out FrameError? error)
    {
        var end = body.Span.TrimEnd(" \t\r\n"u8);
        if (end.IsEmpty || end[^1] != '}' || !Utf8.IsValid(end))
        {
            frame = default;
            error = new FrameError(ErrorCodes.BadRequest, "the body is not one JSON object");
            return false;
        }
        // Of a repeated field the last counts: type and room of the address win over whatever the body says.
        var inner = end[..^1].TrimEnd(" \t\r\n"u8);
        var separator = inner.IsEmpty || inner[^1] == '{' ? "" : ",";
        byte[] whole = [.. inner, .. Encoding.ASCII.GetBytes($"{separator}\"type\":\"room\",\"room\":\"{room}\"}}")];
        return ClientFrameReader.TryRead(whole, limits, out frame, out error);
    }
}
