using AspireChat.Contracts.Log;
using AspireChat.Contracts.Redis;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>One entry of a partition's log as it was delivered.</summary>
/// <param name="Id">Its stream id.</param>
/// <param name="Conversation">The conversation's stored key, as the entry has it.</param>
/// <param name="Seq">0 for entries that use none up.</param>
/// <param name="Raw">The record's bytes.</param>
/// <param name="Record">The record, or null when the bytes are none: no retry will ever store it.</param>
internal sealed record LogEntry(
    RedisValue Id, LogPosition Position, string Conversation, long Seq, string Epoch, RedisValue Raw, LogRecord? Record)
{
    public static LogEntry Of(StreamEntry entry)
    {
        string conversation = "", epoch = "";
        long seq = 0;
        var raw = RedisValue.EmptyString;
        foreach (var field in entry.Values)
        {
            if (field.Name == LogFields.Record)
                raw = field.Value;
            else if (field.Name == LogFields.Conversation)
                conversation = field.Value.ToString();
            else if (field.Name == LogFields.Seq)
                seq = field.Value.TryParse(out long number) ? number : -1;
            else if (field.Name == LogFields.Epoch)
                epoch = field.Value.ToString();
        }
        var record = seq >= 0 ? LogRecordCodec.Decode(((ReadOnlyMemory<byte>)raw).Span, seq, epoch) : null;
        // An event stands under the conversation and seq that append.lua gave it; a record that says otherwise is somebody's mistake.
        if (record is not null && (record.Conversation.Value != conversation || (record is ConversationEvent) != (seq > 0)))
            record = null;
        return new LogEntry(entry.Id, LogPosition.Parse(entry.Id.ToString()), conversation, seq, epoch, raw, record);
    }
}
