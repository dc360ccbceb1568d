using System.Diagnostics.CodeAnalysis;
using System.Text;
using AspireChat.Contracts.Frames;

namespace AspireChat.ConnectionService.Messages;

/// <summary>
/// Reads <c>{"content","nonce"}</c>: the <c>room</c> frame without what the address says, so that one set of rules holds for both ways of
/// sending.
/// </summary>
internal static class MessageBody
{
    public static bool TryRead(
        ReadOnlyMemory<byte> body, string room, FrameLimits limits, out ClientFrame frame, [NotNullWhen(false)] out FrameError? error)
    {
        var end = body.Span.TrimEnd(" \t\r\n"u8);
        if (end.IsEmpty || end[^1] != '}')
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
