using System.Security.Cryptography;
using System.Text;
using AspireChat.Contracts.Conversations;

namespace AspireChat.Contracts.Log;

/// <summary>
/// The field under which a nonce is remembered (<see cref="Redis.RedisKeys.Nonces"/>): the first 16 bytes of SHA-256 over the
/// conversation's key, the sender and the nonce, a line each. A fixed 16 bytes instead of up to 270 halves the memory of a day's
/// nonces; a cryptographic hash, because a client that could make two nonces collide could swallow somebody's message.
/// </summary>
public static class NonceField
{
    public const int Length = 16;

    /// <summary>Thread-safe.</summary>
    public static byte[] Of(ConversationKey conversation, string sender, string nonce)
    {
        var text = string.Concat(conversation.Value, "\n", sender, "\n") + nonce;
        return SHA256.HashData(Encoding.UTF8.GetBytes(text))[..Length];
    }
}
