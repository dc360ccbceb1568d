using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using StackExchange.Redis;

namespace AspireChat.RedisLog;

/// <summary>
/// One record of a partition's log (<see cref="RedisKeys.Log"/>). An entry of the stream has one of two forms:
/// <code>
/// conversation EventBatch, conversation EventBatch, …     events, up to 63; the field's name is the conversation's stored key
/// c conversation  s seq  p epoch  e record                anything else: join.lua, leave.lua and read.lua write it
/// </code>
/// append.lua writes the first form. A dead letter (<see cref="RedisKeys.DeadLetters"/>) has the second form and two fields more: bury.lua
/// writes it. Scripts are the only writers; this type is the only reader.
/// </summary>
/// <param name="Id">The stream id of its entry.</param>
/// <param name="Conversation">The conversation's stored key, as the entry has it.</param>
/// <param name="Seq">0 for records that use none up; -1 when it cannot be read.</param>
/// <param name="Raw">The record's bytes.</param>
/// <param name="Record">The record, or null when the bytes are none: no retry will ever store it.</param>
public sealed record LogEntry(
    RedisValue Id, LogPosition Position, string Conversation, long Seq, string Epoch, RedisValue Raw, LogRecord? Record)
{
    /// <summary>Adds what an entry of the stream holds.</summary>
    public static void Read(StreamEntry entry, List<LogEntry> entries)
    {
        // Conversations' keys contain a colon, the names of single fields are one letter.
        if (entry.Values.Length == 0 || entry.Values[0].Name.Length() == 1)
        {
            entries.Add(ReadFields(entry));
            return;
        }
        var position = LogPosition.Parse(entry.Id.ToString());
        foreach (var field in entry.Values)
        {
            var conversation = field.Name.ToString();
            if (!EventBatch.TryRead((ReadOnlyMemory<byte>)field.Value, out var batch))
            {
                entries.Add(new LogEntry(entry.Id, position, conversation, -1, "", field.Value, null));
                continue;
            }
            foreach (var (seq, record) in batch.Split())
            {
                entries.Add(Of(entry.Id, position, conversation, seq, batch.Epoch, record));
            }
        }
    }

    /// <summary>A dead letter: the record as it stood in the log, and why PostgreSQL refused it.</summary>
    public static (LogEntry Entry, string Why) ReadDeadLetter(StreamEntry letter)
    {
        var id = letter[LogFields.Id];
        return (ReadFields(letter) with { Id = id, Position = LogPosition.Parse(id.ToString()) }, letter[LogFields.Why].ToString());
    }

    private static LogEntry ReadFields(StreamEntry entry)
    {
        string conversation = "", epoch = "";
        long seq = 0;
        var raw = RedisValue.EmptyString;
        foreach (var field in entry.Values)
        {
            if (field.Name == LogFields.Record)
            {
                raw = field.Value;
            }
            else if (field.Name == LogFields.Conversation)
            {
                conversation = field.Value.ToString();
            }
            else if (field.Name == LogFields.Seq)
            {
                seq = field.Value.TryParse(out long number) ? number : -1;
            }
            else if (field.Name == LogFields.Epoch)
            {
                epoch = field.Value.ToString();
            }
        }
        return Of(entry.Id, LogPosition.Parse(entry.Id.ToString()), conversation, seq, epoch, raw);
    }

    private static LogEntry Of(RedisValue id, LogPosition position, string conversation, long seq, string epoch, RedisValue raw)
    {
        var record = seq >= 0 ? LogRecordCodec.Decode(((ReadOnlyMemory<byte>)raw).Span, seq, epoch) : null;
        // An event stands under the conversation and seq that append.lua gave it. A record that contradicts them is corrupt.
        if (record is not null && (record.Conversation.Value != conversation || (record is ConversationEvent) != (seq > 0)))
        {
            record = null;
        }
        return new LogEntry(id, position, conversation, seq, epoch, raw, record);
    }
}

/// <summary>The fields of an entry in the second form of <see cref="LogEntry"/>.</summary>
public static class LogFields
{
    /// <summary>The conversation's stored key (<see cref="ConversationKey.Value"/>).</summary>
    public const string Conversation = "c";

    /// <summary>The event's seq; 0 for records that use none up (membership, read cursors).</summary>
    public const string Seq = "s";

    /// <summary>The epoch in which the record was accepted.</summary>
    public const string Epoch = "p";

    /// <summary>The record, JSON (<see cref="LogRecordCodec"/>).</summary>
    public const string Record = "e";

    /// <summary>Of a dead letter: the stream id that the entry had in the log.</summary>
    public const string Id = "id";

    /// <summary>Of a dead letter: PostgreSQL's error.</summary>
    public const string Why = "why";
}
