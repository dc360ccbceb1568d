using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using AspireChat.Contracts.Log;

namespace AspireChat.Contracts.Frames;

/// <summary>
/// Reads and checks a client's frame. A refused frame gives a <see cref="FrameError"/>, which names the field at fault and carries the
/// frame's nonce and ref if they could be read. Unknown fields are ignored. If a field is repeated, the last one counts. Thread-safe.
/// </summary>
public static class ClientFrameReader
{
    /// <param name="utf8">One whole text message.</param>
    /// <param name="limits">Sizes to enforce.</param>
    /// <param name="frame">The frame, if the result is true.</param>
    /// <param name="error">The answer to the client, if the result is false.</param>
    public static bool TryRead(
        ReadOnlySpan<byte> utf8, FrameLimits limits, out ClientFrame frame, [NotNullWhen(false)] out FrameError? error)
    {
        var fields = new FrameFields(utf8, limits);
        MessageDetails? details = null;
        SignalBody? signal = null;
        try
        {
            fields.Read();
            if (fields.Problem is null && IsWhole(ref fields, limits))
            {
                ReadBody(ref fields, out details, out signal);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            fields.Fail(ErrorCodes.BadRequest, "the frame is not one JSON object");
        }
        if (fields.Problem is null)
        {
            frame = Frame(in fields, details, signal);
            error = null;
            return true;
        }
        frame = default;
        error = fields.Problem! with { Nonce = fields.Nonce, Ref = fields.Ref };
        return false;
    }

    /// <summary>The parts that only some types have.</summary>
    private static void ReadBody(ref FrameFields fields, out MessageDetails? details, out SignalBody? signal)
    {
        var type = fields.Type!.Value;
        details = type is ClientFrameType.Room or ClientFrameType.Dm or ClientFrameType.Edit
            ? fields.ReadDetails(isEdit: type == ClientFrameType.Edit)
            : null;
        signal = type == ClientFrameType.Signal ? fields.ReadSignal() : null;
    }

    private static ClientFrame Frame(in FrameFields fields, MessageDetails? details, SignalBody? signal) => new()
    {
        Type = fields.Type!.Value,
        // The type says which of both counts where both are given: a private text must not get into a room.
        Room = fields.Type is ClientFrameType.Dm ? null : fields.Room,
        To = fields.Type is ClientFrameType.Dm || fields.Room is null ? fields.To : null,
        Content = fields.Content,
        Nonce = fields.Nonce,
        Ref = fields.Ref,
        Since = fields.Since,
        Epoch = fields.Epoch,
        Seq = fields.Seq,
        Target = fields.Target,
        Emoji = fields.Emoji,
        Remove = fields.Remove ?? false,
        Active = fields.Active ?? true,
        Token = fields.Token,
        Conversations = fields.Conversations ?? (IReadOnlyList<ResumePoint>)[],
        Details = details,
        Signal = signal,
    };

    private static bool IsWhole(ref FrameFields fields, FrameLimits limits)
    {
        if (fields.UnknownType is { } unknown)
        {
            return fields.Fail(ErrorCodes.UnknownType, $"type '{(unknown.Length > 32 ? unknown[..32] : unknown)}' is not known");
        }

        if (fields.Type is not { } type)
        {
            return fields.Fail(ErrorCodes.BadRequest, "type is missing");
        }

        return Missing(type, ref fields, limits) is not { } problem || fields.Fail(problem.Code, problem.Message);
    }

    private static (string Code, string Message)? Missing(ClientFrameType type, ref FrameFields f, FrameLimits limits)
    {
        var place = type switch
        {
            ClientFrameType.Join or ClientFrameType.Leave or ClientFrameType.Room => f.Room is null ? "room" : null,
            ClientFrameType.Dm => f.To is null ? "to" : null,
            ClientFrameType.Resume or ClientFrameType.Auth or ClientFrameType.Ping => null,
            _ when f.Room is null && f.To is null => "room or to",
            _ when f.Room is not null && f.To is not null => "one of room and to (both are given)",
            _ => null,
        };
        var missing = place ?? type switch
        {
            ClientFrameType.Room or ClientFrameType.Dm => f.Content is null ? "content" : null,
            ClientFrameType.Edit => f.Target is null ? "target" : f.Content is null ? "content" : null,
            ClientFrameType.Delete => f.Target is null ? "target" : null,
            ClientFrameType.React => f.Target is null ? "target" : f.Emoji is null ? "emoji" : null,
            ClientFrameType.Read => f.Seq is null ? "seq" : null,
            ClientFrameType.Resume => f.Conversations is null ? "conversations" : null,
            ClientFrameType.Auth => f.Token is null ? "token" : null,
            _ => null,
        };
        if (missing is null && f.Nonce is null && type is >= ClientFrameType.Room and <= ClientFrameType.React)
        {
            missing = "nonce";
        }

        if (missing is not null)
        {
            return (ErrorCodes.BadRequest, missing + " is missing");
        }

        // What the server wrote can be read and resumed like any direct conversation; nobody writes to it.
        if (f is { To: UserIds.System, Room: null } && type is not (ClientFrameType.Read or ClientFrameType.Resume))
        {
            return (ErrorCodes.BadRequest, $"to must not be {UserIds.System}: it is the server's own name");
        }

        if (f.Target is 0)
        {
            return (ErrorCodes.BadRequest, "target must be at least 1");
        }

        if (f.Content?.Length > limits.Content)
        {
            return (ErrorCodes.TooLarge, $"content is longer than {limits.Content} UTF-16 code units");
        }

        if (f.Content is "" && type is (ClientFrameType.Room or ClientFrameType.Dm or ClientFrameType.Edit))
        {
            return (ErrorCodes.BadRequest, "content is empty");
        }

        return null;
    }
}
