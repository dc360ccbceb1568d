using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.Tests.Persistence;

/// <summary>Log entries as the consumer decodes them, made without a Redis.</summary>
internal static class LogEntries
{
    public const string Epoch = "epoch1";

    public static ConversationEvent Message(
        ConversationKey conversation, long seq, string from = "alice", string? nonce = null, string? content = null) => new()
    {
        Kind = conversation.IsRoom ? EventKind.Room : EventKind.Dm,
        Conversation = conversation,
        Id = Guid.CreateVersion7(),
        From = from,
        Nonce = nonce ?? $"n{seq}",
        Content = content ?? $"text {seq}",
        Timestamp = 1_767_225_600_000 + seq,
        Seq = seq,
        Epoch = Epoch,
    };

    public static ConversationEvent Edit(ConversationKey room, long seq, long target, string content, string from = "alice") =>
        Message(room, seq, from) with { Kind = EventKind.Edit, Target = target, Content = content };

    public static ConversationEvent Delete(ConversationKey room, long seq, long target, string from = "alice") =>
        Message(room, seq, from) with { Kind = EventKind.Delete, Target = target, Content = null };

    public static ConversationEvent React(ConversationKey room, long seq, long target, string emoji, string from, bool remove = false) =>
        Message(room, seq, from) with { Kind = EventKind.React, Target = target, Content = null, Emoji = emoji, Remove = remove };

    /// <param name="place">The entry's place in the log.</param>
    public static LogEntry At(long place, LogRecord record)
    {
        RedisValue id = $"1-{place.ToString(CultureInfo.InvariantCulture)}";
        var seq = record is ConversationEvent e ? e.Seq : 0;
        var raw = record is ConversationEvent encoded ? (RedisValue)LogRecordCodec.Encode(encoded) : RedisValue.EmptyString;
        return new LogEntry(id, LogPosition.Parse(id.ToString()), record.Conversation.Value, seq, Epoch, raw, record);
    }

    public static LogEntry Of(ConversationEvent e) => At(e.Seq, e);

    public static LogEntry Joined(long place, ConversationKey room, string user, bool joined, long read = 0) =>
        At(place, new MembershipRecord
    {
        Conversation = room, User = user, Joined = joined, Read = read, Timestamp = 1_767_225_600_000,
    });

    public static LogEntry Read(long place, ConversationKey conversation, string user, long seq) => At(place, new ReadRecord
    {
        Conversation = conversation, User = user, Seq = seq, Timestamp = 1_767_225_600_000,
    });
}
