using AspireChat.Contracts.Log;
using AspireChat.Contracts.Redis;
using StackExchange.Redis;
using ChannelMessage = AspireChat.Contracts.Redis.ChannelMessage;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>One record of a partition's log as it was delivered. Several may stand in one entry of the stream.</summary>
/// <param name="Id">The stream id of its entry.</param>
/// <param name="Conversation">The conversation's stored key, as the entry has it.</param>
/// <param name="Seq">0 for entries that use none up.</param>
/// <param name="Raw">The record's bytes.</param>
/// <param name="Record">The record, or null when the bytes are none: no retry will ever store it.</param>
internal sealed record LogEntry(
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
            if (!ChannelMessage.TryParse((ReadOnlyMemory<byte>)field.Value, out var message) || message.Kind != ChannelMessageKind.Event)
            {
                entries.Add(new LogEntry(entry.Id, position, conversation, -1, "", field.Value, null));
                continue;
            }
            foreach (var (seq, record) in message.Records())
                entries.Add(Of(entry.Id, position, conversation, seq, message.First, record));
        }
    }

    /// <summary>An entry, or a dead letter, of one record with its fields by name.</summary>
    public static LogEntry ReadFields(StreamEntry entry)
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
        return Of(entry.Id, LogPosition.Parse(entry.Id.ToString()), conversation, seq, epoch, raw);
    }

    private static LogEntry Of(RedisValue id, LogPosition position, string conversation, long seq, string epoch, RedisValue raw)
    {
        var record = seq >= 0 ? LogRecordCodec.Decode(((ReadOnlyMemory<byte>)raw).Span, seq, epoch) : null;
        // An event stands under the conversation and seq that append.lua gave it; a record that says otherwise is somebody's mistake.
        if (record is not null && (record.Conversation.Value != conversation || (record is ConversationEvent) != (seq > 0)))
            record = null;
        return new LogEntry(id, position, conversation, seq, epoch, raw, record);
    }
}
