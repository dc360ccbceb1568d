using System.Text;

namespace AspireChat.Chaos.Ledgers;

/// <summary>One send and the acknowledgement that it got.</summary>
/// <param name="Conversation">The stored key, the same for all members.</param>
/// <param name="Epoch">Null only for the first events of a direct conversation.</param>
/// <param name="Content">The hash of the content; 0 for kinds without content.</param>
/// <param name="Order">Rises with each send of one connection to one conversation.</param>
internal readonly record struct Acknowledged(
    string Conversation, string? Epoch, long Seq, Guid Id, string Sender, string Nonce, ulong Content, long Order);

/// <summary>One event as it is in the database.</summary>
/// <param name="Content">The hash of the content. 0 when the content is not the one that was sent, because the event was edited, deleted,
/// or has none.</param>
internal readonly record struct Stored(string Epoch, long Seq, Guid Id, string Sender, string Nonce, ulong Content);

internal readonly record struct LogPlace(string Conversation, string Epoch, long Seq);

internal static class ContentHash
{
    /// <summary>FNV-1a, 64 bits. A run remembers half a million contents and never needs the text again.</summary>
    public static ulong Of(string content)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in Encoding.UTF8.GetBytes(content))
        {
            hash = (hash ^ b) * 1099511628211UL;
        }

        return hash;
    }
}
