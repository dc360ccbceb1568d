using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Rooms;

/// <summary>What calls about rooms are answered. A room that must not be seen is answered like one that does not exist.</summary>
internal static class RoomAnswers
{
    /// <summary>The code of a 409 for a room id that is taken.</summary>
    private const string Exists = "exists";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task WriteBadRequestAsync(this HttpContext context, string problem) =>
        context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);

    public static Task WriteNoRoomAsync(this HttpContext context) =>
        context.WriteProblemAsync(StatusCodes.Status404NotFound, "there is no such room", ErrorCodes.NotFound);

    public static Task WriteForbiddenAsync(this HttpContext context, string detail = "you may not do this in this room") =>
        context.WriteProblemAsync(StatusCodes.Status403Forbidden, detail, ErrorCodes.Forbidden);

    public static Task WriteUnavailableAsync(this HttpContext context) => context.WriteProblemAsync(
        StatusCodes.Status503ServiceUnavailable, "the log can't be reached; try again", ErrorCodes.Unavailable, TimeSpan.FromSeconds(1));

    public static Task WriteLastOwnerAsync(this HttpContext context) => context.WriteProblemAsync(
        StatusCodes.Status409Conflict, "the last owner names another one before leaving", ErrorCodes.Forbidden);

    /// <summary>The refusal of a change. False: it was not refused, and nothing was written.</summary>
    public static async Task<bool> TryRefuseAsync(this HttpContext context, RoomChange change)
    {
        switch (change.Outcome)
        {
            case RoomOutcome.Forbidden:
                await context.WriteForbiddenAsync();
                return true;
            case RoomOutcome.NotFound:
                await context.WriteNoRoomAsync();
                return true;
            case RoomOutcome.Exists:
                await context.WriteProblemAsync(StatusCodes.Status409Conflict, "there is a room with this id", Exists);
                return true;
            case RoomOutcome.Full:
                await context.WriteProblemAsync(
                    StatusCodes.Status429TooManyRequests, "there are as many of these as there may be", ErrorCodes.Limit);
                return true;
            default:
                return false;
        }
    }

    public static Task WriteRoomAsync(this HttpContext context, int status, string room, RoomView view) =>
        context.WriteJsonAsync(status, json => view.Write(json, room));

    public static async Task WriteJsonAsync(this HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        await using (var json = new Utf8JsonWriter(buffer, Options))
        {
            write(json);
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }
}
