using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using AspireChat.Contracts.Frames;

namespace AspireChat.RedisLog;

/// <summary>What a message of pub/sub is: its first byte.</summary>
public enum PubSubKind : byte
{
    Events = (byte)'E',
    Frame = (byte)'F',
    Left = (byte)'L',
    Durable = (byte)'D',
    Read = (byte)'R',
    Kick = (byte)'K',
    Erased = (byte)'Z',
    Probe = (byte)'P',
    Profile = (byte)'U',
    Deleted = (byte)'X',
}

/// <summary>
/// A message on one of the <see cref="RedisChannels"/>. Layout: the kind's byte, a space, then the fields, each ended by a space; the last
/// one runs to the end, so records and frames need no escaping. Text fields are ASCII. Immutable; read in place.
/// <code>
/// message                       type             channels        written by
/// E epoch seq record…           Events           room, users     append.lua
/// F except frame                Frame            room, user      presence-diffs.lua, presence-typing.lua, member.lua, ConnectionService
/// L room moment reason?         Left             user            leave.lua, member.lua
/// X moment                      Deleted          room            room.lua
/// D conversation epoch seq      Durable          room, users     durable.lua
/// R conversation user seq       Read             room, users     read.lua
/// K                             Kick             user            ConnectionService
/// Z conversation                Erased           room, users     PersistenceService
/// P number                      Probe            node            ConnectionService
/// U profile                     Profile          user            ConnectionService
/// </code>
/// Where a script writes, <see cref="Encode"/> is the form that tests hold the script to, byte by byte.
/// </summary>
public abstract record PubSubMessage
{
    /// <summary>Stands for an empty <see cref="Frame.Except"/>; no id of a user contains it.</summary>
    private const string Nobody = "*";

    public abstract byte[] Encode();

    /// <summary>Consecutive events of a conversation.</summary>
    public sealed record Events(EventBatch Batch) : PubSubMessage
    {
        public override byte[] Encode() => Batch.Encode();
    }

    /// <summary>A ready ephemeral frame: presence, typing or a signal.</summary>
    /// <param name="Json">The frame, as clients get it.</param>
    /// <param name="Except">It is not for the connections of this user; empty: it is for all.</param>
    public sealed record Frame(ReadOnlyMemory<byte> Json, string Except = "") : PubSubMessage
    {
        public override byte[] Encode() => [.. Ascii($"F {(Except.Length == 0 ? Nobody : Except)} "), .. Json.Span];
    }

    /// <summary>The membership of the user whose channel it is has ended in a room.</summary>
    /// <param name="At">The moment, microseconds of Redis' clock.</param>
    /// <param name="Reason">The <c>reason</c> of <c>left</c>; empty: the user left.</param>
    public sealed record Left(string Room, long At, string Reason = "") : PubSubMessage
    {
        public override byte[] Encode() => Reason.Length == 0 ? Ascii($"L {Room} {At}") : Ascii($"L {Room} {At} {Reason}");
    }

    /// <summary>The room whose channel it is was deleted.</summary>
    /// <param name="At">The moment, microseconds of Redis' clock.</param>
    public sealed record Deleted(long At) : PubSubMessage
    {
        public override byte[] Encode() => Ascii($"X {At}");
    }

    /// <summary>All events of a conversation up to <paramref name="Seq"/> are committed.</summary>
    /// <param name="Conversation">The stored key.</param>
    public sealed record Durable(string Conversation, string Epoch, long Seq) : PubSubMessage
    {
        public override byte[] Encode() => Ascii($"D {Conversation} {Epoch} {Seq}");
    }

    /// <summary>A user's read cursor moved.</summary>
    /// <param name="Conversation">The stored key.</param>
    public sealed record Read(string Conversation, string User, long Seq) : PubSubMessage
    {
        public override byte[] Encode() => Ascii($"R {Conversation} {User} {Seq}");
    }

    /// <summary>An operator disconnects the user whose channel it is.</summary>
    public sealed record Kick : PubSubMessage
    {
        public override byte[] Encode() => Ascii($"K");
    }

    /// <summary>Content of earlier events is gone: what a node has in memory of the conversation is to be read again.</summary>
    /// <param name="Conversation">The stored key.</param>
    public sealed record Erased(string Conversation) : PubSubMessage
    {
        public override byte[] Encode() => Ascii($"Z {Conversation}");
    }

    /// <summary>A replica's probe to itself.</summary>
    public sealed record Probe(long Number) : PubSubMessage
    {
        public override byte[] Encode() => Ascii($"P {Number}");
    }

    /// <summary>The profile of the user whose channel it is changed.</summary>
    /// <param name="Json"><see cref="ProfileJson"/>; empty: there is none any more.</param>
    public sealed record Profile(string Json) : PubSubMessage
    {
        public override byte[] Encode() => Encoding.UTF8.GetBytes($"U {Json}");
    }

    /// <summary>Reads a payload; false when it is not one of ours: another program published on the channel.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> payload, [NotNullWhen(true)] out PubSubMessage? message)
    {
        message = null;
        if (payload.IsEmpty)
        {
            return false;
        }
        var rest = FieldsOf(payload);
        message = (PubSubKind)payload.Span[0] switch
        {
            PubSubKind.Events => EventBatch.TryRead(payload, out var batch) ? new Events(batch) : null,
            PubSubKind.Frame => TryTake(ref rest, out string except) ? new Frame(rest, except == Nobody ? "" : except) : null,
            PubSubKind.Left =>
                TryTake(ref rest, out string room) && TryTake(ref rest, out long at)
                    ? new Left(room, at, Encoding.ASCII.GetString(rest.Span))
                    : null,
            PubSubKind.Deleted => TryTake(ref rest, out long deleted) ? new Deleted(deleted) : null,
            PubSubKind.Durable =>
                TryTake(ref rest, out string committed) && TryTake(ref rest, out string epoch) && TryTake(ref rest, out long seq)
                    ? new Durable(committed, epoch, seq)
                    : null,
            PubSubKind.Read =>
                TryTake(ref rest, out string read) && TryTake(ref rest, out string user) && TryTake(ref rest, out long cursor)
                    ? new Read(read, user, cursor)
                    : null,
            PubSubKind.Kick => new Kick(),
            PubSubKind.Erased => new Erased(Encoding.ASCII.GetString(rest.Span)),
            PubSubKind.Probe => TryTake(ref rest, out long number) ? new Probe(number) : null,
            PubSubKind.Profile => new Profile(Encoding.UTF8.GetString(rest.Span)),
            _ => null,
        };
        return message is not null;
    }

    /// <summary>What stands behind the kind.</summary>
    internal static ReadOnlyMemory<byte> FieldsOf(ReadOnlyMemory<byte> payload) => payload.Length > 2 ? payload[2..] : default;

    internal static bool TryTake(ref ReadOnlyMemory<byte> rest, out string field)
    {
        var space = rest.Span.IndexOf((byte)' ');
        field = space > 0 ? Encoding.ASCII.GetString(rest.Span[..space]) : "";
        rest = space > 0 ? rest[(space + 1)..] : rest;
        return space > 0;
    }

    internal static bool TryTake(ref ReadOnlyMemory<byte> rest, out long field)
    {
        var span = rest.Span;
        if (!Utf8Parser.TryParse(span, out field, out var consumed) || (consumed < span.Length && span[consumed] != ' '))
        {
            return false;
        }
        rest = consumed < span.Length ? rest[(consumed + 1)..] : default;
        return true;
    }

    private static byte[] Ascii(FormattableString text) => Encoding.ASCII.GetBytes(text.ToString(CultureInfo.InvariantCulture));
}
