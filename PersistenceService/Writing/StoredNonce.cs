using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// A nonce as the table has it. It is unique there for a sender and a conversation. The log of a room that was deleted and came back knows no
/// nonce of the one before, so the number of its epoch stands before it. Thread-safe: pure functions.
/// </summary>
internal static class StoredNonce
{
    /// <summary>Not in the nonce of any client that sends text; a nonce that begins like a number and one of these is still read as it was.</summary>
    private const char Separator = '\n';

    public static string Of(ConversationEvent e) => RoomEpoch.LifeOf(e.Epoch) is { Length: > 0 } life ? $"{life}{Separator}{e.Nonce}" : e.Nonce;

    public static string Read(string stored, string epoch) =>
        RoomEpoch.LifeOf(epoch) is { Length: > 0 } life && stored.StartsWith($"{life}{Separator}", StringComparison.Ordinal)
            ? stored[(life.Length + 1)..]
            : stored;
}
