using System.Text;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.Benchmarks.Micro;

/// <summary>A message of 200 characters, as the goals of this project count them.</summary>
internal static class Samples
{
    public const string Room = "lobby";
    public const string Sender = "user-0";

    public static ConversationEvent Event { get; } = new()
    {
        Kind = EventKind.Room,
        Conversation = ConversationKey.Room(Room),
        Id = Guid.Parse("019aa000-0000-7000-8000-000000000001"),
        From = Sender,
        Nonce = "0123456789abcdef",
        Content = new string('x', 200),
        Timestamp = 1_767_225_600_000,
        Seq = 1_234,
        Epoch = "e1",
    };

    /// <summary>As a client sends it, without its frame's header.</summary>
    public static byte[] ClientFrame { get; } = Encoding.UTF8.GetBytes(
        $$"""{"type":"room","room":"{{Room}}","content":"{{Event.Content}}","nonce":"{{Event.Nonce}}"}""");

    /// <summary>A client's frame (masked) of 126 to 65,535 bytes.</summary>
    public static byte[] Masked(byte[] payload)
    {
        byte[] mask = [1, 2, 3, 4];
        return
        [
            0x81, 0x80 | 126, (byte)(payload.Length >> 8), (byte)payload.Length, .. mask,
            .. payload.Select((value, i) => (byte)(value ^ mask[i & 3])),
        ];
    }
}
