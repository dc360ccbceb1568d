using System.Text;
using System.Text.Json;

namespace AspireChat.Contracts.Frames;

/// <summary>
/// The fields of a client's frame as they were found, before its type decides which of them it needs. The first problem is kept;
/// reading goes on, so that the answer can carry nonce and ref.
/// </summary>
internal ref struct FrameFields(FrameLimits limits)
{
    public string? Type, Room, To, Content, Nonce, Ref, Epoch, Emoji, Token;
    public long? Since, Seq, Target;
    public bool? Active, Remove;
    public List<ResumePoint>? Conversations;

    public FrameError? Problem { get; private set; }

    public ClientFrame? Fail(string code, string message)
    {
        Problem ??= new FrameError(code, message);
        return null;
    }

    /// <exception cref="JsonException">The bytes are not JSON, or not an object.</exception>
    public void Read(ReadOnlySpan<byte> utf8)
    {
        var json = new Utf8JsonReader(utf8);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            throw new JsonException();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            ReadField(ref json);
        while (json.Read())
        {
            // Reads to the end so that anything behind the object is refused.
        }
    }

    private void ReadField(ref Utf8JsonReader json)
    {
        if (Is(ref json, "type"u8)) Type = Text(ref json, "type", 64);
        else if (Is(ref json, "room"u8)) Room = Id(ref json, "room");
        else if (Is(ref json, "to"u8)) To = Id(ref json, "to");
        else if (Is(ref json, "content"u8)) Content = Text(ref json, "content", int.MaxValue);
        else if (Is(ref json, "nonce"u8)) Nonce = Text(ref json, "nonce", limits.ShortText, nonEmpty: true);
        else if (Is(ref json, "ref"u8)) Ref = Reference(ref json);
        else if (Is(ref json, "since"u8)) Since = Seqno(ref json, "since");
        else if (Is(ref json, "epoch"u8)) Epoch = Text(ref json, "epoch", limits.ShortText);
        else if (Is(ref json, "seq"u8)) Seq = Seqno(ref json, "seq");
        else if (Is(ref json, "target"u8)) Target = Seqno(ref json, "target");
        else if (Is(ref json, "emoji"u8)) Emoji = Text(ref json, "emoji", limits.ShortText, nonEmpty: true);
        else if (Is(ref json, "remove"u8)) Remove = Flag(ref json, "remove");
        else if (Is(ref json, "active"u8)) Active = Flag(ref json, "active");
        else if (Is(ref json, "token"u8)) Token = Text(ref json, "token", int.MaxValue, nonEmpty: true);
        else if (Is(ref json, "conversations"u8)) Conversations = Points(ref json);
        else SkipUnknown(ref json);
    }

    /// <summary>When the property at the reader has this name, moves on to its value.</summary>
    private static bool Is(ref Utf8JsonReader json, ReadOnlySpan<byte> name) => json.ValueTextEquals(name) && json.Read();

    private static void SkipUnknown(ref Utf8JsonReader json)
    {
        json.Read();
        json.Skip();
    }

    private void Wrong(ref Utf8JsonReader json, string message)
    {
        Fail(ErrorCodes.BadRequest, message);
        json.Skip();
    }

    private string? Text(ref Utf8JsonReader json, string field, int longest, bool nonEmpty = false)
    {
        if (json.TokenType == JsonTokenType.Null)
            return null;
        if (json.TokenType != JsonTokenType.String)
        {
            Wrong(ref json, field + " must be a string");
            return null;
        }
        if (!TryGetText(ref json, out var text))
            Fail(ErrorCodes.BadRequest, field + " contains NUL or a lone surrogate");
        else if (text.Length > longest)
            Fail(ErrorCodes.BadRequest, $"{field} is longer than {longest} characters");
        else if (nonEmpty && text.Length == 0)
            Fail(ErrorCodes.BadRequest, field + " is empty");
        else
            return text;
        return null;
    }

    /// <summary>Utf8JsonReader throws for an escaped lone surrogate; PostgreSQL refuses NUL. Neither may get into the log.</summary>
    private static bool TryGetText(ref Utf8JsonReader json, out string text)
    {
        try
        {
            text = json.GetString()!;
            return !text.Contains('\0');
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }

    private string? Id(ref Utf8JsonReader json, string field)
    {
        var id = Text(ref json, field, int.MaxValue);
        if (id is null || Identifiers.IsValid(id))
            return id;
        Fail(ErrorCodes.BadRequest, field + " must be 1 to 64 characters of A-Z a-z 0-9 _ . - and not . or ..");
        return null;
    }

    private string? Reference(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Null)
            return null;
        if (json.TokenType is not (JsonTokenType.String or JsonTokenType.Number) || json.ValueSpan.Length > limits.ShortText * 6)
        {
            Wrong(ref json, $"ref must be a string of at most {limits.ShortText} characters or a number");
            return null;
        }
        var raw = Encoding.UTF8.GetString(json.ValueSpan);
        if (json.TokenType == JsonTokenType.Number)
            return raw;
        return Text(ref json, "ref", limits.ShortText) is null ? null : $"\"{raw}\"";
    }

    private long? Seqno(ref Utf8JsonReader json, string field)
    {
        if (json.TokenType == JsonTokenType.Null)
            return null;
        // 2^53 is the last whole number that a JavaScript client can hold exactly.
        if (json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var seq) && seq is >= 0 and <= 1L << 53)
            return seq;
        Wrong(ref json, field + " must be a whole number, 0 or more");
        return null;
    }

    private bool? Flag(ref Utf8JsonReader json, string field)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.True or JsonTokenType.False:
                return json.GetBoolean();
            case JsonTokenType.Null:
                return null;
            default:
                Wrong(ref json, field + " must be true or false");
                return null;
        }
    }

    private List<ResumePoint>? Points(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            Wrong(ref json, "conversations must be a list");
            return null;
        }
        var points = new List<ResumePoint>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject)
            {
                Wrong(ref json, "conversations must be a list of objects");
                continue;
            }
            var inner = new FrameFields(limits);
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
                inner.ReadField(ref json);
            if (inner.Problem is not null)
                Fail(inner.Problem.Code, "conversations: " + inner.Problem.Message);
            else if (inner.Room is null == inner.To is null)
                Fail(ErrorCodes.BadRequest, "conversations: each needs one of room and to");
            else if (inner.Since is null)
                Fail(ErrorCodes.BadRequest, "conversations: since is missing");
            else
                points.Add(new ResumePoint(inner.Room, inner.To, inner.Since.Value, inner.Epoch));
        }
        if (points.Count > limits.Conversations)
            Fail(ErrorCodes.Limit, $"conversations has more than {limits.Conversations} entries");
        return points;
    }
}
