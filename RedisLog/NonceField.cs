using System.Security.Cryptography;
using System.Text;
using AspireChat.Contracts.Conversations;

namespace AspireChat.RedisLog;

/// <summary>
/// The field under which a nonce is remembered (<see cref="RedisKeys.Nonces"/>): the first 16 bytes of SHA-256 over the conversation's key,
/// the sender and the nonce, a line each. 16 bytes instead of up to 270 halve the memory of a day's nonces. The hash is cryptographic,
/// because a client that could make two nonces collide could swallow somebody's message.
/// </summary>
public static class NonceField
{
    public const int Length = 16;

    /// <summary>Thread-safe.</summary>
    public static byte[] Of(ConversationKey conversation, string sender, string nonce)
    {
        var most = Encoding.UTF8.GetMaxByteCount(conversation.Value.Length + sender.Length + nonce.Length + 2);
        var text = most <= 1_024 ? stackalloc byte[most] : new byte[most];
        var length = Encoding.UTF8.GetBytes(conversation.Value, text);
        text[length++] = (byte)'\n';
        length += Encoding.UTF8.GetBytes(sender, text[length..]);
        text[length++] = (byte)'\n';
        length += Encoding.UTF8.GetBytes(nonce, text[length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..length], hash);
        return hash[..Length].ToArray();
    }
}
