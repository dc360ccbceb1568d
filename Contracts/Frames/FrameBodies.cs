using System.Text;
using System.Text.Json;
using AspireChat.Contracts.Log;

namespace AspireChat.Contracts.Frames;

/// <summary>The fields that are read once the type is known: what a message carries beside its text, and a signal.</summary>
internal ref partial struct FrameFields
{
    public readonly ReadOnlySpan<byte> BytesOf(FieldSlice slice) => _utf8.Slice(slice.Start, slice.Length);

    /// <summary>What a message or an edit carries beside its text; null: nothing, or there is a problem.</summary>
    public MessageDetails? ReadDetails(bool isEdit)
    {
        if (!ReplyTo.Exists && !Mentions.Exists && !Meta.Exists)
        {
            return null;
        }

        long? replyTo = null;
        if (ReplyTo.Exists)
        {
            var json = ReaderOf(ReplyTo);
            replyTo = Seqno(ref json, "replyTo");
            if (replyTo is 0)
            {
                Fail(ErrorCodes.BadRequest, "replyTo must be at least 1");
            }
        }
        var mentions = Mentions.Exists ? ReadMentions() : null;
        var details = new MessageDetails
        {
            ReplyTo = replyTo ?? 0,
            // "Nobody" means something only in an edit.
            Mentions = isEdit || mentions is { Count: > 0 } ? mentions : null,
            Meta = Meta.Exists ? ReadJson(Meta, "meta", mustBeObject: true) : null,
        };
        return Problem is not null || details is { ReplyTo: 0, Mentions: null, Meta: null } ? null : details;
    }

    /// <summary>The body of a signal; null: there is a problem.</summary>
    public SignalBody? ReadSignal()
    {
        if (!Name.Exists)
        {
            Fail(ErrorCodes.BadRequest, "name is missing");
            return null;
        }

        var json = ReaderOf(Name);
        var name = Text(ref json, "name", limits.ShortText, nonEmpty: true);
        var data = Data.Exists ? ReadJson(Data, "data", mustBeObject: false) : null;
        return Problem is not null ? null : new SignalBody(name!, data);
    }

    private List<string>? ReadMentions()
    {
        var json = ReaderOf(Mentions);
        if (json.TokenType != JsonTokenType.StartArray)
        {
            Fail(ErrorCodes.BadRequest, "mentions must be a list of user ids");
            return null;
        }
        var users = new List<string>();
        for (var count = 0; json.Read() && json.TokenType != JsonTokenType.EndArray && Problem is null; count++)
        {
            if (count == limits.Mentions)
            {
                Fail(ErrorCodes.BadRequest, $"mentions has more than {limits.Mentions} entries");
            }
            else if (json.TokenType != JsonTokenType.String)
            {
                Fail(ErrorCodes.BadRequest, "mentions must be a list of user ids");
            }
            else if (Id(ref json, "mentions", KnownIdentifiers.Users) is { } user && !users.Contains(user))
            {
                users.Add(user);
            }
        }
        return users;
    }

    /// <summary>A value as it came, but on one line: a record of the log contains no line feed.</summary>
    private string? ReadJson(FieldSlice slice, string field, bool mustBeObject)
    {
        var bytes = BytesOf(slice);
        if (bytes.Length > limits.Json)
        {
            Fail(ErrorCodes.TooLarge, $"{field} is longer than {limits.Json} bytes");
            return null;
        }
        if (mustBeObject && bytes[0] != (byte)'{')
        {
            Fail(ErrorCodes.BadRequest, field + " must be a JSON object");
            return null;
        }
        if (!IsShallow(bytes))
        {
            Fail(ErrorCodes.BadRequest, $"{field} is nested deeper than {limits.JsonDepth} levels");
            return null;
        }
        if (bytes.IndexOfAnyInRange((byte)0, (byte)31) < 0)
        {
            return Encoding.UTF8.GetString(bytes);
        }

        // Within a text a control character is always escaped, so those that are not stand between tokens.
        var oneLine = new byte[bytes.Length];
        var length = 0;
        foreach (var value in bytes)
        {
            if (value > 31)
            {
                oneLine[length++] = value;
            }
        }
        return Encoding.UTF8.GetString(oneLine, 0, length);
    }

    /// <summary>Readers of history, and of the log in Redis, must be able to read it where it stands within other objects.</summary>
    private readonly bool IsShallow(ReadOnlySpan<byte> value)
    {
        var json = new Utf8JsonReader(value);
        while (json.Read())
        {
            if (json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && json.CurrentDepth >= limits.JsonDepth)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>A reader on the value.</summary>
    private readonly Utf8JsonReader ReaderOf(FieldSlice slice)
    {
        var json = new Utf8JsonReader(BytesOf(slice));
        json.Read();
        return json;
    }
}

/// <summary>Where a value stands in a frame; empty: the frame does not have it.</summary>
internal readonly record struct FieldSlice(int Start, int Length)
{
    public bool Exists => Length > 0;
}
