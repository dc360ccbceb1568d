using System.Buffers.Binary;
using AspireChat.ConnectionService.Tracing;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.Connections;

/// <summary>Makes the events that this node accepts. Thread-safe.</summary>
internal sealed class NewEvents(MessageTracer tracer, TimeProvider time)
{
    /// <summary>
    /// An event with its id and time. Seq and epoch come from the log, whose answer the caller tells
    /// <see cref="Log.AppendSpans.End"/>.
    /// </summary>
    public ConversationEvent Create(
        EventKind kind, ConversationKey conversation, string from, string nonce, string? content = null, long target = 0,
        string? emoji = null, bool remove = false, string? name = null)
    {
        var now = time.GetUtcNow();
        return tracer.Begin(new ConversationEvent
        {
            Kind = kind,
            Conversation = conversation,
            Id = EventId.Create(now),
            From = from,
            Name = name,
            Nonce = nonce,
            Content = content,
            Target = target,
            Emoji = emoji,
            Remove = remove,
            Timestamp = now.ToUnixTimeMilliseconds(),
        });
    }
}

/// <summary>
/// Ids of events: UUIDs of version 7 (RFC 9562 §5.7). The framework's own ask the kernel for every id's random bits, which is a third of
/// what a node does with a message; an id is no secret, so a generator that was seeded by the kernel will do.
/// Thread-safe.
/// </summary>
internal static class EventId
{
    private const int TimeBytes = 6;

    public static Guid Create(DateTimeOffset now)
    {
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(id, now.ToUnixTimeMilliseconds() << 16);
        Random.Shared.NextBytes(id[TimeBytes..]);
        id[6] = (byte)(0x70 | id[6] & 0x0F);
        id[8] = (byte)(0x80 | id[8] & 0x3F);
        return new Guid(id, bigEndian: true);
    }
}
