using System.Text;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.WebSockets;

namespace AspireChat.Benchmarks.Micro;

/// <summary>A message of 200 characters, the size that the project's goals assume.</summary>
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

    /// <summary>The message as a client sends it, without the WebSocket header.</summary>
    public static byte[] ClientFrame { get; } = Encoding.UTF8.GetBytes(
        $$"""{"type":"room","room":"{{Room}}","content":"{{Event.Content}}","nonce":"{{Event.Nonce}}"}""");

    /// <summary>A client's text message.</summary>
    public static byte[] Masked(byte[] payload) => MaskedFrame.Encode(FrameHeader.Text, payload, key: 0x04030201);
}
