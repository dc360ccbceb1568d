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

    public static string ClientFrame { get; } =
        $$"""{"type":"room","room":"{{Room}}","content":"{{Event.Content}}","nonce":"{{Event.Nonce}}"}""";
}
