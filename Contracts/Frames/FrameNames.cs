using System.Text.Json;

namespace AspireChat.Contracts.Frames;

/// <summary>The fields that a client's frame may have.</summary>
internal enum FrameField : byte
{
    Unknown,
    Type,
    Room,
    To,
    Content,
    Nonce,
    Ref,
    Since,
    Epoch,
    Seq,
    Target,
    Emoji,
    Remove,
    Active,
    Token,
    Conversations,
    ReplyTo,
    Mentions,
    Meta,
    Name,
    Data,
}

/// <summary>
/// Finds the field and type names of a client's frame by their bytes. Every frame has several, so a look-up must not allocate a string or
/// compare with each candidate. Thread-safe: pure functions.
/// </summary>
internal static class FrameNames
{
    private static readonly string[] Fields =
        [.. Enum.GetNames<FrameField>().Select(JsonNamingPolicy.CamelCase.ConvertName)];

    /// <summary>The field whose name is the reader's present token.</summary>
    public static FrameField FieldAt(ref Utf8JsonReader json)
    {
        if (!json.ValueIsEscaped)
        {
            return FieldOf(json.ValueSpan);
        }
        // JSON allows an escaped name such as "r\u006fom", but no client sends one.
        for (var field = FrameField.Type; field <= FrameField.Data; field++)
        {
            if (json.ValueTextEquals(Fields[(int)field]))
            {
                return field;
            }
        }
        return FrameField.Unknown;
    }

    /// <summary>The member whose lower-case name this is; null when there is none.</summary>
    public static ClientFrameType? TypeOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 when name.SequenceEqual("dm"u8) => ClientFrameType.Dm,
        4 when name.SequenceEqual("room"u8) => ClientFrameType.Room,
        4 when name.SequenceEqual("read"u8) => ClientFrameType.Read,
        4 when name.SequenceEqual("ping"u8) => ClientFrameType.Ping,
        4 when name.SequenceEqual("join"u8) => ClientFrameType.Join,
        4 when name.SequenceEqual("edit"u8) => ClientFrameType.Edit,
        4 when name.SequenceEqual("auth"u8) => ClientFrameType.Auth,
        5 when name.SequenceEqual("react"u8) => ClientFrameType.React,
        5 when name.SequenceEqual("leave"u8) => ClientFrameType.Leave,
        6 when name.SequenceEqual("typing"u8) => ClientFrameType.Typing,
        6 when name.SequenceEqual("delete"u8) => ClientFrameType.Delete,
        6 when name.SequenceEqual("resume"u8) => ClientFrameType.Resume,
        6 when name.SequenceEqual("signal"u8) => ClientFrameType.Signal,
        _ => null,
    };

    private static FrameField FieldOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 when name.SequenceEqual("to"u8) => FrameField.To,
        3 when name.SequenceEqual("ref"u8) => FrameField.Ref,
        3 when name.SequenceEqual("seq"u8) => FrameField.Seq,
        4 when name.SequenceEqual("type"u8) => FrameField.Type,
        4 when name.SequenceEqual("room"u8) => FrameField.Room,
        4 when name.SequenceEqual("meta"u8) => FrameField.Meta,
        4 when name.SequenceEqual("name"u8) => FrameField.Name,
        4 when name.SequenceEqual("data"u8) => FrameField.Data,
        5 when name.SequenceEqual("nonce"u8) => FrameField.Nonce,
        5 when name.SequenceEqual("since"u8) => FrameField.Since,
        5 when name.SequenceEqual("epoch"u8) => FrameField.Epoch,
        5 when name.SequenceEqual("emoji"u8) => FrameField.Emoji,
        5 when name.SequenceEqual("token"u8) => FrameField.Token,
        6 when name.SequenceEqual("target"u8) => FrameField.Target,
        6 when name.SequenceEqual("active"u8) => FrameField.Active,
        6 when name.SequenceEqual("remove"u8) => FrameField.Remove,
        7 when name.SequenceEqual("content"u8) => FrameField.Content,
        7 when name.SequenceEqual("replyTo"u8) => FrameField.ReplyTo,
        8 when name.SequenceEqual("mentions"u8) => FrameField.Mentions,
        13 when name.SequenceEqual("conversations"u8) => FrameField.Conversations,
        _ => FrameField.Unknown,
    };
}
