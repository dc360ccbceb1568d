using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// An event with its frames, each encoded at most once and shared by all connections. Belongs to one hub; the bytes may go anywhere.
/// </summary>
internal sealed class EncodedEvent(ConversationEvent source)
{
    private byte[]? _frame;
    private byte[]? _senders;

    public long Seq => source.Seq;

    public string Epoch => source.Epoch;

    public Guid Id => source.Id;

    /// <summary>About what it occupies in memory; never changes.</summary>
    public int Size => 2 * Frame.Length + 128;

    private byte[] Frame => _frame ??= EventFrames.Encode(source, withNonce: false);

    /// <summary>The frame as <paramref name="user"/> gets it: only the sender sees the nonce.</summary>
    public ReadOnlyMemory<byte> FrameFor(string user) =>
        user == source.From ? _senders ??= EventFrames.Encode(source, withNonce: true) : Frame;
}
