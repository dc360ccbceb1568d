using System.Globalization;
using System.Text;
using AspireChat.Contracts.Log;

namespace AspireChat.RedisLog;

/// <summary>
/// Consecutive events of one conversation, in the form in which append.lua makes them once and uses them twice: as a message of pub/sub and
/// as a value in the partition's log. A line of <see cref="EventReplay"/> has the same form. Kafka's record batch is the model.
/// <code>
/// E epoch seq record          a further record stands behind a line feed (a record contains none) and has the next seq
/// </code>
/// Read in place: the records are slices of the payload.
/// </summary>
/// <param name="FirstSeq">The seq of the first record.</param>
/// <param name="Records">The stored form of each event (<see cref="LogRecordCodec"/>), with a line feed between them.</param>
public readonly record struct EventBatch(string Epoch, long FirstSeq, ReadOnlyMemory<byte> Records)
{
    /// <summary>The batch of this one event.</summary>
    public static EventBatch Of(ConversationEvent e) => new(e.Epoch, e.Seq, LogRecordCodec.Encode(e));

    public byte[] Encode() =>
    [
        .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{(char)PubSubKind.Events} {Epoch} {FirstSeq} ")),
        .. Records.Span,
    ];

    /// <summary>False when the bytes are no batch.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> payload, out EventBatch batch)
    {
        batch = default;
        if (payload.IsEmpty || payload.Span[0] != (byte)PubSubKind.Events)
        {
            return false;
        }
        var rest = PubSubMessage.FieldsOf(payload);
        if (!PubSubMessage.TryTake(ref rest, out string epoch) || !PubSubMessage.TryTake(ref rest, out long seq))
        {
            return false;
        }
        batch = new EventBatch(epoch, seq, rest);
        return true;
    }

    /// <summary>The records with their seqs, in order.</summary>
    public IEnumerable<(long Seq, ReadOnlyMemory<byte> Record)> Split()
    {
        var rest = Records;
        for (var seq = FirstSeq; ; seq++)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            yield return (seq, end < 0 ? rest : rest[..end]);
            if (end < 0)
            {
                yield break;
            }
            rest = rest[(end + 1)..];
        }
    }

    /// <summary>The events, in order; a record that is no event is left out.</summary>
    public IEnumerable<ConversationEvent> Decode()
    {
        foreach (var (seq, record) in Split())
        {
            if (LogRecordCodec.Decode(record.Span, seq, Epoch) is ConversationEvent e)
            {
                yield return e;
            }
        }
    }
}

/// <summary>
/// The body of <c>GET /internal/events</c>, by which PersistenceService replays committed events to a node: oldest first, for each event an
/// <see cref="EventBatch"/> of its own, ended by a line feed.
/// </summary>
public static class EventReplay
{
    public static byte[] EncodeLine(ConversationEvent e) => [.. EventBatch.Of(e).Encode(), (byte)'\n'];

    /// <summary>Null when the body has another form.</summary>
    public static List<ConversationEvent>? Read(ReadOnlyMemory<byte> body)
    {
        var events = new List<ConversationEvent>();
        while (!body.IsEmpty)
        {
            var end = body.Span.IndexOf((byte)'\n');
            if (end < 0
                || !EventBatch.TryRead(body[..end], out var batch)
                || LogRecordCodec.Decode(batch.Records.Span, batch.FirstSeq, batch.Epoch) is not ConversationEvent e)
            {
                return null;
            }
            events.Add(e);
            body = body[(end + 1)..];
        }
        return events;
    }
}
