using System.Buffers.Binary;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// Ids of events: UUIDs of version 7 (RFC 9562 §5.7). The framework's own ask the kernel for every id's random bits, which is a third of
/// what a node does with a message; nobody has to be kept from guessing an id, so a generator that was seeded by the kernel will do.
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
