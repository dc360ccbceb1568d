using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace AspireChat.Contracts;

/// <summary>
/// Recent identifiers as strings that are made once. Most frames name a room that an earlier frame named too, and all members of a room
/// share one string of its name. Each slot of a table keeps the last identifier that hashed to it, which bounds the rooms' table to 0.7 MB
/// and the users' to 1.2 MB. Thread-safe: a slot is read and replaced as a whole, without a lock.
/// </summary>
internal sealed class KnownIdentifiers
{
    private const int Places = 4_096;

    private readonly string?[] _table = new string?[Places];
    private readonly SearchValues<byte> _allowed;
    private readonly int _longest;

    private KnownIdentifiers(string characters, int longest)
    {
        _allowed = SearchValues.Create(Encoding.ASCII.GetBytes(characters));
        _longest = longest;
    }

    /// <summary>Those that <see cref="RoomIds.IsValid"/> allows.</summary>
    public static KnownIdentifiers Rooms { get; } = new(RoomIds.Characters, RoomIds.MaxLength);

    /// <summary>Those that <see cref="UserIds.IsSender"/> allows.</summary>
    public static KnownIdentifiers Users { get; } = new(UserIds.Characters, UserIds.MaxLength);

    /// <summary>False if the bytes are not a valid identifier of this kind.</summary>
    public bool TryGet(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out string? identifier)
    {
        identifier = null;
        if (utf8.IsEmpty || utf8.Length > _longest)
        {
            return false;
        }

        ref var place = ref _table[PlaceOf(utf8)];
        if (Volatile.Read(ref place) is { } last && Ascii.Equals(utf8, last))
        {
            identifier = last;
            return true;
        }
        if (utf8.ContainsAnyExcept(_allowed) || utf8.SequenceEqual("."u8) || utf8.SequenceEqual(".."u8))
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
