using System.Buffers.Text;
using System.Text;

namespace AspireChat.Contracts.Redis;

/// <summary>What a pub/sub payload is: its first byte.</summary>
public enum ChannelMessageKind : byte
{
    /// <summary>
    /// Consecutive events of a conversation: <c>E epoch seq record</c>, further records each behind a line feed (JSON contains none) and
    /// with the next seq. Written by append.lua; stands in the partition log as it is.
    /// </summary>
    Event = (byte)'E',

    /// <summary>A ready ephemeral frame (typing, presence): <c>F except frame</c>; not for the connections of <c>except</c> (<c>:</c>: for all).</summary>
    Frame = (byte)'F',

    /// <summary>
    /// A user ended their membership of a room: <c>L room moment</c>, on the user's channel; the moment in microseconds of Redis' clock.
    /// Written by leave.lua.
    /// </summary>
    Left = (byte)'L',

    /// <summary>All events of a conversation up to seq are committed: <c>D conversation epoch seq</c>.</summary>
    Durable = (byte)'D',

    /// <summary>A read cursor moved: <c>R conversation user seq</c>. Written by read.lua.</summary>
    Read = (byte)'R',

    /// <summary>An operator disconnects the user: <c>K</c>, on the user's channel.</summary>
    Kick = (byte)'K',

    /// <summary>A replica's own probe: <c>P number</c>, on its node channel.</summary>
    Probe = (byte)'P',
}

/// <summary>
/// One pub/sub payload, read in place. Layout: the kind's byte, a space, then the fields listed at <see cref="ChannelMessageKind"/>, each
/// ended by a space; the last field runs to the end (so records and frames need no escaping). Text fields are ASCII.
/// </summary>
public readonly record struct ChannelMessage(ChannelMessageKind Kind, string First, string Second, long Number, ReadOnlyMemory<byte> Body)
{
    /// <summary>Stands for "nobody" in the <c>except</c> field; no valid identifier contains it.</summary>
    private const string Nobody = ":";

    /// <summary>The records of an Event message, each with its seq, in order.</summary>
    public IEnumerable<(long Seq, ReadOnlyMemory<byte> Record)> Records()
    {
        var rest = Body;
        for (var seq = Number; ; seq++)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            yield return (seq, end < 0 ? rest : rest[..end]);
            if (end < 0)
                yield break;
            rest = rest[(end + 1)..];
        }
    }

    /// <summary>An ephemeral frame for everybody on the channel but the connections of <paramref name="except"/>.</summary>
    public static byte[] ForFrame(ReadOnlySpan<byte> frame, string? except = null) =>
        [.. Encoding.ASCII.GetBytes($"F {except ?? Nobody} "), .. frame];

    public static byte[] ForDurable(string conversation, string epoch, long seq) => Encoding.ASCII.GetBytes($"D {conversation} {epoch} {seq}");

    public static byte[] ForProbe(long number) => Encoding.ASCII.GetBytes($"P {number}");

    public static byte[] ForKick() => "K"u8.ToArray();

    /// <summary>
    /// Reads a payload; false when it is not one of ours (another program published on the channel). Fields by kind —
    /// Event: <see cref="First"/> epoch, <see cref="Number"/> first seq, <see cref="Records"/>. Frame: First the user it is not for (or
    /// empty), Body the frame. Left: First the room, Number the moment. Durable: First conversation, Second epoch, Number seq. Read: First
    /// conversation, Second user, Number seq. Probe: Number.
    /// </summary>
    public static bool TryParse(ReadOnlyMemory<byte> payload, out ChannelMessage message)
    {
        message = default;
        if (payload.IsEmpty)
            return false;
        var kind = (ChannelMessageKind)payload.Span[0];
        var rest = payload.Length > 2 ? payload[2..] : default;
        string first = "", second = "";
        long number = 0;
        switch (kind)
        {
            case ChannelMessageKind.Event:
                if (!TryTake(ref rest, out first) || !TryTake(ref rest, out number))
                    return false;
                break;
            case ChannelMessageKind.Frame:
                if (!TryTake(ref rest, out first))
                    return false;
                first = first == Nobody ? "" : first;
                break;
            case ChannelMessageKind.Left:
                if (!TryTake(ref rest, out first) || !TryTake(ref rest, out number))
                    return false;
                break;
            case ChannelMessageKind.Durable or ChannelMessageKind.Read:
                if (!TryTake(ref rest, out first) || !TryTake(ref rest, out second) || !TryTake(ref rest, out number))
                    return false;
                break;
            case ChannelMessageKind.Kick:
                break;
            case ChannelMessageKind.Probe:
                if (!TryTake(ref rest, out number))
                    return false;
                break;
            default:
                return false;
        }
        message = new ChannelMessage(kind, first, second, number, rest);
        return true;
    }

    private static bool TryTake(ref ReadOnlyMemory<byte> rest, out string field)
    {
        var space = rest.Span.IndexOf((byte)' ');
        field = space > 0 ? Encoding.ASCII.GetString(rest.Span[..space]) : "";
        rest = space > 0 ? rest[(space + 1)..] : rest;
        return space > 0;
    }

    private static bool TryTake(ref ReadOnlyMemory<byte> rest, out long field)
    {
        var span = rest.Span;
        if (!Utf8Parser.TryParse(span, out field, out var consumed) || (consumed < span.Length && span[consumed] != ' '))
            return false;
        rest = consumed < span.Length ? rest[(consumed + 1)..] : default;
        return true;
    }
}
