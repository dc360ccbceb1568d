using System.Text;
using System.Text.Json;

namespace AspireChat.Contracts.Frames;

/// <summary>
/// The fields of a client's frame as they were found, before its type decides which of them it needs. The first problem is kept, and
/// reading continues so that the answer can carry nonce and ref. A usual frame allocates strings only for content and nonce. Its
/// identifiers are those of <see cref="KnownIdentifiers"/>.
/// </summary>
/// <param name="utf8">The whole frame.</param>
internal ref struct FrameFields(ReadOnlySpan<byte> utf8, FrameLimits limits)
{
    public ClientFrameType? Type;
    public string? UnknownType, Room, To, Content, Nonce, Ref, Epoch, Emoji, Token;
    public long? Since, Seq, Target;
    public bool? Active, Remove;
    public List<ResumePoint>? Conversations;

    private readonly ReadOnlySpan<byte> _utf8 = utf8;

    public FrameError? Problem { get; private set; }

    /// <summary>Keeps the first problem. Returns false, for the caller to return.</summary>
    public bool Fail(string code, string message)
    {
        Problem ??= new FrameError(code, message);
        return false;
    }

    /// <exception cref="JsonException">The bytes are not JSON, or not an object.</exception>
    public void Read()
    {
        var json = new Utf8JsonReader(_utf8);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            ReadField(ref json);
        }

        while (json.Read())
        {
            // Reading to the end refuses anything behind the object.
        }
    }

    private void ReadField(ref Utf8JsonReader json)
    {
        var field = FrameNames.FieldAt(ref json);
        json.Read();
        switch (field)
        {
            case FrameField.Type: ReadType(ref json); break;
            case FrameField.Room: Room = Id(ref json, "room", KnownIdentifiers.Rooms); break;
            case FrameField.To: To = Id(ref json, "to", KnownIdentifiers.Users); break;
            case FrameField.Content: Content = Text(ref json, "content", int.MaxValue); break;
            case FrameField.Nonce: Nonce = Text(ref json, "nonce", limits.ShortText, nonEmpty: true); break;
            case FrameField.Ref: Ref = Reference(ref json); break;
            case FrameField.Since: Since = Seqno(ref json, "since"); break;
            case FrameField.Epoch: Epoch = Text(ref json, "epoch", limits.ShortText); break;
            case FrameField.Seq: Seq = Seqno(ref json, "seq"); break;
            case FrameField.Target: Target = Seqno(ref json, "target"); break;
            case FrameField.Emoji: Emoji = Text(ref json, "emoji", limits.ShortText, nonEmpty: true); break;
            case FrameField.Remove: Remove = Flag(ref json, "remove"); break;
            case FrameField.Active: Active = Flag(ref json, "active"); break;
            case FrameField.Token: Token = Text(ref json, "token", int.MaxValue, nonEmpty: true); break;
            case FrameField.Conversations: Conversations = Points(ref json); break;
            default: json.Skip(); break;
        }
    }

    private void Wrong(ref Utf8JsonReader json, string message)
    {
        Fail(ErrorCodes.BadRequest, message);
        json.Skip();
    }

    private void ReadType(ref Utf8JsonReader json)
    {
        UnknownType = null;
        Type = json.TokenType == JsonTokenType.String && !json.ValueIsEscaped ? FrameNames.TypeOf(json.ValueSpan) : null;
        if (Type is not null || Text(ref json, "type", 64) is not { } name)
        {
            return;
        }

        Type = FrameNames.TypeOf(Encoding.UTF8.GetBytes(name));
        UnknownType = Type is null ? name : null;
    }

    private string? Text(ref Utf8JsonReader json, string field, int longest, bool nonEmpty = false)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (json.TokenType != JsonTokenType.String)
        {
            Wrong(ref json, field + " must be a string");
            return null;
        }
        if (!TryGetText(ref json, out var text))
        {
            Fail(ErrorCodes.BadRequest, field + " contains NUL or a lone surrogate");
        }
        else if (text.Length > longest)
        {
            Fail(ErrorCodes.BadRequest, $"{field} is longer than {longest} characters");
        }
        else if (nonEmpty && text.Length == 0)
        {
            Fail(ErrorCodes.BadRequest, field + " is empty");
        }
        else
        {
            return text;
        }

        return null;
    }

    /// <summary>
    /// Utf8JsonReader throws for an escaped lone surrogate, and PostgreSQL refuses NUL. Neither may get into the log. The escapes are looked at
    /// before, because an exception costs 20 µs and a frame has room for two thousand of them.
    /// </summary>
    private static bool TryGetText(ref Utf8JsonReader json, out string text)
    {
        if (json.ValueIsEscaped && !EscapedText.IsValid(json.ValueSpan))
        {
            text = "";
            return false;
        }
        text = json.GetString()!;
        return true;
    }

    private string? Id(ref Utf8JsonReader json, string field, KnownIdentifiers known)
    {
        if (json.TokenType == JsonTokenType.String && !json.ValueIsEscaped && known.TryGet(json.ValueSpan, out var seen))
        {
            return seen;
        }

        var isRoom = known == KnownIdentifiers.Rooms;
        var id = Text(ref json, field, int.MaxValue);
        if (id is null || (isRoom ? RoomIds.IsValid(id) : UserIds.IsSender(id)))
        {
            return id;
        }

        Fail(ErrorCodes.BadRequest, $"{field} must be {(isRoom ? RoomIds.Rule : UserIds.Rule)}");
        return null;
    }

    private string? Reference(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (json.TokenType is not (JsonTokenType.String or JsonTokenType.Number) || json.ValueSpan.Length > limits.ShortText * 6)
        {
            Wrong(ref json, $"ref must be a string of at most {limits.ShortText} characters or a number");
            return null;
        }
        var quotes = json.TokenType == JsonTokenType.String ? 2 : 0;
        // Most refs are short and plain. Only one that may be too long or invalid is decoded.
        if (quotes > 0 && (json.ValueIsEscaped || json.ValueSpan.Length > limits.ShortText || !Ascii.IsValid(json.ValueSpan))
            && Text(ref json, "ref", limits.ShortText) is null)
        {
            return null;
        }

        return Encoding.UTF8.GetString(_utf8.Slice((int)json.TokenStartIndex, json.ValueSpan.Length + quotes));
    }

    private long? Seqno(ref Utf8JsonReader json, string field)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return null;
        }
        // 2^53 is the last whole number that a JavaScript client can hold exactly.
        if (json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var seq) && seq is >= 0 and <= 1L << 53)
        {
            return seq;
        }

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
            var inner = new FrameFields(_utf8, limits);
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                inner.ReadField(ref json);
            }

            if (inner.Problem is not null)
            {
                Fail(inner.Problem.Code, "conversations: " + inner.Problem.Message);
            }
            else if (inner.Room is null == inner.To is null)
            {
                Fail(ErrorCodes.BadRequest, "conversations: each needs one of room and to");
            }
            else if (inner.Since is null)
            {
                Fail(ErrorCodes.BadRequest, "conversations: since is missing");
            }
            else
            {
                points.Add(new ResumePoint(inner.Room, inner.To, inner.Since.Value, inner.Epoch));
            }
        }
        if (points.Count > limits.Conversations)
        {
            Fail(ErrorCodes.Limit, $"conversations has more than {limits.Conversations} entries");
        }

        return points;
    }
}
