using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// An event with its frames, each encoded at most once and shared by all connections. Belongs to one hub; the bytes may go anywhere.
/// </summary>
internal sealed class EncodedEvent(ConversationEvent source)
{
    private ConversationEvent _source = source;
    private OutboundFrame? _frame;
    private OutboundFrame? _senders;

    public long Seq => _source.Seq;

    public string Epoch => _source.Epoch;

    public Guid Id => _source.Id;

    /// <summary>The event, if its way is traced.</summary>
    public TracedEvent? Traced => _source as TracedEvent;

    /// <summary>The message whose content this event deletes; 0: none.</summary>
    public long Deletes => _source.Kind == EventKind.Delete ? _source.Target : 0;

    /// <summary>About what it occupies in memory; never changes.</summary>
    public int Size { get; } = 2 * ((source.Content?.Length ?? 0) + (source.Details?.Bytes ?? 0)) + 512;

    private OutboundFrame Frame => _frame ??= OutboundFrame.Of(_source, withNonce: false);

    /// <summary>If this is the message <paramref name="target"/> or an edit of it: the content is gone from now on.</summary>
    public void Redact(long target)
    {
        if (_source.Seq != target && !(_source.Kind == EventKind.Edit && _source.Target == target))
        {
            return;
        }

        _source = _source with { Content = "", Deleted = true, Details = MessageDetails.Deleted(_source.Details) };
        _frame = _senders = null;
    }

    /// <summary>The frame as <paramref name="user"/> gets it: only the sender sees the nonce.</summary>
    public OutboundFrame FrameFor(string user) =>
        user == _source.From ? _senders ??= OutboundFrame.Of(_source, withNonce: true) : Frame;
}
