using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace AspireChat.Contracts;

/// <summary>
/// Recent identifiers as strings that are made once. Most frames name a room that an earlier frame named too, and all members of a room
/// share one string of its name. Each slot of the table keeps the last identifier that hashed to it, which bounds the table to 0.7 MB.
/// Thread-safe: a slot is read and replaced as a whole, without a lock.
/// </summary>
internal static class KnownIdentifiers
{
    private const int Places = 4_096;

    private static readonly SearchValues<byte> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"u8);

    private static readonly string?[] Table = new string?[Places];

    /// <summary>False if the bytes are not a valid identifier (<see cref="Identifiers.IsValid"/>).</summary>
    public static bool TryGet(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out string? identifier)
    {
        identifier = null;
        if (utf8.Length is 0 or > Identifiers.MaxLength)
        {
            return false;
        }

        ref var place = ref Table[PlaceOf(utf8)];
        if (Volatile.Read(ref place) is { } last && Ascii.Equals(utf8, last))
        {
            identifier = last;
            return true;
        }
        if (utf8.ContainsAnyExcept(Allowed) || utf8.SequenceEqual("."u8) || utf8.SequenceEqual(".."u8))
        {
            return false;
        }

        Volatile.Write(ref place, identifier = Encoding.ASCII.GetString(utf8));
        return true;
    }

    private static int PlaceOf(ReadOnlySpan<byte> utf8)
    {
        var hash = (ulong)utf8.Length;
        for (; utf8.Length > sizeof(ulong); utf8 = utf8[sizeof(ulong)..])
        {
            hash = Mixed(hash, BinaryPrimitives.ReadUInt64LittleEndian(utf8));
        }

        var rest = 0UL;
        foreach (var value in utf8)
        {
            rest = rest << 8 | value;
        }

        return (int)(Mixed(hash, rest) >> 40) & (Places - 1);
    }

    /// <summary>Fibonacci hashing: after the multiplication the high bits depend on all bits.</summary>
    private static ulong Mixed(ulong hash, ulong word) => (ulong.RotateLeft(hash, 5) ^ word) * 0x9E37_79B9_7F4A_7C15;
}
