using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;

namespace AspireChat.RedisLog;

/// <summary>
/// The stored form of <see cref="LogRecord"/>s: one JSON object, so that an operator can read the log with redis-cli.
/// <code>
/// {"type":"room","id":"…","room":"lobby","from":"alice","content":"…","timestamp":1767225600000,"nonce":"…"}
/// {"type":"dm","id":"…","to":"bob","from":"alice",…}         edit, delete, react: also "target", "emoji", "remove"
/// {…,"nonce":"…","replyTo":3,"mentions":["bob"],"meta":{…}}  those of the last three that the event has, always at its end
/// {"type":"join","room":"lobby","user":"alice","seq":17,"timestamp":…}                    written by join.lua
/// {"type":"leave","room":"lobby","user":"alice","seq":0,"timestamp":…}                    written by leave.lua
/// {"type":"read","c":"r:lobby","user":"alice","seq":17,"timestamp":…}                     written by read.lua
/// {"type":"profile","user":"alice","profile":{"name":"Alice"},"timestamp":…}              written by profile.lua
/// {"type":"revoke","user":"alice","timestamp":…}                                          written by revoke.lua
/// {"type":"member","room":"lobby","user":"bob","change":"banned",…,"by":"alice","seq":0,"timestamp":…}       written by member.lua:
///     also "role", "until", "reason"; a join and a leave have "role" where it is the owner's,
///     and a join that created the room has "change":"created"
/// {"type":"roomrules","room":"lobby","change":"updated","settings":{…},"by":"alice","timestamp":…}           written by room.lua:
///     a deletion has "seq" (the head) and "life" instead of settings
/// </code>
/// <see cref="Encode"/> writes the events. When an event's content is deleted, append.lua writes its record again, with an empty
/// <c>"content"</c>, with <c>"deleted":true</c>, and with the fields in any order. A traced event has <c>"trace"</c> as well, a W3C
/// <c>traceparent</c>: see <see cref="TracedEvent"/>. Tests hold what the scripts write to these lines. Reading tolerates unknown
/// fields, so that a newer service may add some. Thread-safe.
/// </summary>
public static class LogRecordCodec
{
    /// <summary>
    /// Escapes little but what JSON itself demands: half the bytes for most of the world's scripts. Safe, because clients show text as
    /// text, never as HTML.
    /// </summary>
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // Each thread uses its own again and again. They stay small, because the length of content is limited.
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    private static readonly string[] TypeNames =
        [.. EventKinds.Names, "join", "leave", "read", "profile", "revoke", "member", "roomrules"];

    /// <summary>The record's JSON without seq and epoch, which do not exist yet.</summary>
    public static byte[] Encode(ConversationEvent e)
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>(1_024);
        var json = _writer ??= new Utf8JsonWriter(buffer, Options);
        buffer.ResetWrittenCount();
        json.Reset(buffer);
        json.WriteStartObject();
        json.WriteString("type"u8, EventKinds.NameOf(e.Kind));
        json.WriteString("id"u8, e.Id);
        EventFrames.WritePlace(json, e);
        json.WriteString("from"u8, e.From);
        EventFrames.WriteBody(json, e);
        json.WriteNumber("timestamp"u8, e.Timestamp);
        json.WriteString("nonce"u8, e.Nonce);
        if (e.Name is not null)
        {
            json.WriteString("name"u8, e.Name);
        }

        if (e.Deleted)
        {
            json.WriteBoolean("deleted"u8, true);
        }

        if (e is TracedEvent traced)
        {
            json.WriteString("trace"u8, traced.TraceParent);
        }

        // append.lua cuts mentions and meta off when the content is deleted: nothing may stand behind them.
        if (e.Details is not null)
        {
            EventFrames.WriteDetails(json, e.Details);
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Reads a record. <paramref name="seq"/> and <paramref name="epoch"/> stand beside it in the log and the tail.
    /// Returns null when the bytes are not a record: the caller counts it and sends it where an operator sees it.
    /// </summary>
    public static LogRecord? Decode(ReadOnlySpan<byte> record, long seq, string epoch)
    {
        try
        {
            return Fields.Read(record).ToRecord(seq, epoch);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private ref struct Fields
    {
        private string? _type, _room, _to, _from, _content, _nonce, _emoji, _user, _conversation, _trace, _name, _profile, _meta;
        private string? _role, _by, _change, _reason, _settings;
        private List<string>? _mentions;
        private Guid _id;
        private long _timestamp, _target, _seq, _replyTo, _until, _life;
        private bool _remove, _deleted;

        public static Fields Read(ReadOnlySpan<byte> record)
        {
            var fields = new Fields();
            var json = new Utf8JsonReader(record);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                throw new JsonException("A record is a JSON object.");
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                fields.ReadField(ref json, record);
            }

            return fields;
        }

        private void ReadField(ref Utf8JsonReader json, ReadOnlySpan<byte> record)
        {
            if (Is(ref json, "type"u8))
            {
                _type = TypeName(ref json);
            }
            else if (Is(ref json, "id"u8))
            {
                _id = json.GetGuid();
            }
            else if (Is(ref json, "room"u8))
            {
                _room = Identifier(ref json, KnownIdentifiers.Rooms);
            }
            else if (Is(ref json, "to"u8))
            {
                _to = Identifier(ref json, KnownIdentifiers.Users);
            }
            else if (Is(ref json, "from"u8))
            {
                _from = Identifier(ref json, KnownIdentifiers.Users);
            }
            else if (Is(ref json, "content"u8))
            {
                _content = json.GetString();
            }
            else if (Is(ref json, "timestamp"u8))
            {
                _timestamp = json.GetInt64();
            }
            else if (Is(ref json, "nonce"u8))
            {
                _nonce = json.GetString();
            }
            else if (Is(ref json, "target"u8))
            {
                _target = json.GetInt64();
            }
            else if (Is(ref json, "emoji"u8))
            {
                _emoji = json.GetString();
            }
            else if (Is(ref json, "remove"u8))
            {
                _remove = json.GetBoolean();
            }
            else if (Is(ref json, "deleted"u8))
            {
                _deleted = json.GetBoolean();
            }
            else if (Is(ref json, "user"u8))
            {
                _user = Identifier(ref json, KnownIdentifiers.Users);
            }
            else if (Is(ref json, "seq"u8))
            {
                _seq = json.GetInt64();
            }
            else if (Is(ref json, "c"u8))
            {
                _conversation = json.GetString();
            }
            else if (Is(ref json, "name"u8))
            {
                _name = json.GetString();
            }
            else if (Is(ref json, "profile"u8))
            {
                _profile = ProfileText(ref json);
            }
            else if (Is(ref json, "trace"u8))
            {
                _trace = Trace(ref json);
            }
            else if (Is(ref json, "replyTo"u8))
            {
                _replyTo = json.GetInt64();
            }
            else if (Is(ref json, "mentions"u8))
            {
                _mentions = Users(ref json);
            }
            else if (Is(ref json, "meta"u8))
            {
                _meta = Raw(ref json, record);
            }
            else if (!ReadRoomField(ref json))
            {
                json.Read();
                json.Skip();
            }
        }

        /// <summary>The fields of what scripts write about rooms. False: the field is another one, and its value is still to be read.</summary>
        private bool ReadRoomField(ref Utf8JsonReader json)
        {
            if (Is(ref json, "role"u8))
            {
                _role = json.GetString();
            }
            else if (Is(ref json, "by"u8))
            {
                _by = json.GetString();
            }
            else if (Is(ref json, "change"u8))
            {
                _change = json.GetString();
            }
            else if (Is(ref json, "until"u8))
            {
                _until = json.GetInt64();
            }
            else if (Is(ref json, "reason"u8))
            {
                _reason = json.GetString();
            }
            else if (Is(ref json, "life"u8))
            {
                _life = json.GetInt64();
            }
            else if (Is(ref json, "settings"u8))
            {
                using var settings = JsonDocument.ParseValue(ref json);
                _settings = settings.RootElement.GetRawText();
            }
            else
            {
                return false;
            }

            return true;
        }

        /// <summary>When the property at the reader has this name, moves on to its value.</summary>
        private static bool Is(ref Utf8JsonReader json, ReadOnlySpan<byte> name) => json.ValueTextEquals(name) && json.Read();

        private static string? TypeName(ref Utf8JsonReader json)
        {
            foreach (var name in TypeNames)
            {
                if (json.TokenType == JsonTokenType.String && json.ValueTextEquals(name))
                {
                    return name;
                }
            }
            return json.GetString();
        }

        /// <summary>Null for anything but a string: a damaged trace must not cost the event.</summary>
        private static string? Trace(ref Utf8JsonReader json)
        {
            if (json.TokenType == JsonTokenType.String)
            {
                return json.GetString();
            }

            json.Skip();
            return null;
        }

        private static string ProfileText(ref Utf8JsonReader json)
        {
            using var profile = JsonDocument.ParseValue(ref json);
            return profile.RootElement.GetRawText();
        }

        private static List<string> Users(ref Utf8JsonReader json)
        {
            var users = new List<string>();
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                users.Add(Identifier(ref json, KnownIdentifiers.Users) ?? throw new JsonException("A mention is a user's id."));
            }

            return users;
        }

        /// <summary>The value at the reader as it stands in the record.</summary>
        private static string Raw(ref Utf8JsonReader json, ReadOnlySpan<byte> record)
        {
            var start = (int)json.TokenStartIndex;
            json.Skip();
            return Encoding.UTF8.GetString(record[start..(int)json.BytesConsumed]);
        }

        private static string? Identifier(ref Utf8JsonReader json, KnownIdentifiers known) =>
            json.TokenType == JsonTokenType.String && !json.ValueIsEscaped && known.TryGet(json.ValueSpan, out var seen)
                ? seen
                : json.GetString();

        public readonly LogRecord? ToRecord(long seq, string epoch)
        {
            switch (_type)
            {
                case "join" or "leave" when _room is not null && _user is not null:
                    return new MembershipRecord
                    {
                        Conversation = ConversationKey.Room(_room), Timestamp = _timestamp, User = _user, Joined = _type == "join", Read = _seq,
                        Owner = _role == "owner", Creates = _change == "created",
                    };
                case "member" when _room is not null && _user is not null && _by is not null && MemberChanges.TryParse(_change, out var change):
                    return new MemberChangeRecord
                    {
                        Conversation = ConversationKey.Room(_room), Timestamp = _timestamp, User = _user, Change = change, By = _by, Read = _seq,
                        Role = RoomRoles.TryParse(_role, out var role) ? role : RoomRole.None, Until = _until, Reason = _reason,
                    };
                case "roomrules" when _room is not null && _by is not null && _change is ("created" or "updated" or "deleted"):
                    return new RoomRecord
                    {
                        Conversation = ConversationKey.Room(_room), Timestamp = _timestamp, By = _by, Change = _change,
                        Settings = _settings is null ? RoomSettings.Plain : RoomSettings.Parse(_settings), Floor = _seq, Life = (int)_life,
                    };
                case "read" when _user is not null && _conversation is not null && ConversationKey.TryParse(_conversation, out var read):
                    return new ReadRecord { Conversation = read, Timestamp = _timestamp, User = _user, Seq = _seq };
            }
            if (_type is "profile" or "revoke" && _user is not null)
            {
                var own = ConversationKey.Own(_user);
                return _type == "revoke"
                    ? new RevokeRecord { Conversation = own, Timestamp = _timestamp, User = _user }
                    : new ProfileRecord
                    {
                        Conversation = own, Timestamp = _timestamp, User = _user,
                        Profile = ProfileJson.Decode(_profile), IsSaid = _profile is not null,
                    };
            }

            var kind = Array.IndexOf(EventKinds.Names, _type);
            if (kind < 0 || _from is null || _nonce is null || (_room is null && _to is null))
            {
                return null;
            }

            var e = new ConversationEvent
            {
                Kind = (EventKind)kind,
                Conversation = _room is not null ? ConversationKey.Room(_room) : ConversationKey.Direct(_from, _to!),
                Id = _id,
                From = _from,
                Name = _name,
                Nonce = _nonce,
                Content = _content,
                Target = _target,
                Emoji = _emoji,
                Remove = _remove,
                Deleted = _deleted,
                Details = _replyTo == 0 && _mentions is null && _meta is null
                    ? null
                    : new MessageDetails { ReplyTo = _replyTo, Mentions = _mentions, Meta = _meta },
                Timestamp = _timestamp,
                Seq = seq,
                Epoch = epoch,
            };
            return _trace is null ? e : TracedEvent.Of(e, _trace);
        }
    }
}
