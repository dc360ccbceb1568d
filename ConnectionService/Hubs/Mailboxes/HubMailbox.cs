using System.Collections.Concurrent;
using System.Threading.Channels;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>
/// What waits for a hub. Posting never blocks. Pub/sub messages are bounded in bytes: when full, an event is dropped and its conversation
/// read from the log instead; typing, presence and cursors are dropped for good. Everything else is unbounded on purpose: the hub can't do without it, and there are a few messages at most for each
/// connection, channel or question under way. Thread-safe; one reader.
/// </summary>
internal sealed class HubMailbox(long limit, HubMetrics metrics, ILogger logger) : IChannelListener
{
    /// <summary>The message itself and its place in the queue.</summary>
    private const int Overhead = 128;

    private readonly Channel<HubMessage> _messages =
        Channel.CreateUnbounded<HubMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<ChatChannel, bool> _overflowed = [];
    private long _bytes;

    /// <summary>Bytes of pub/sub messages waiting.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    public int Count => _messages.Reader.Count;

    public void Post(HubMessage message) => _messages.Writer.TryWrite(message);

    public void Received(ChatChannel channel, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        var kind = (PubSubKind)bytes.Span[0];
        // A kick or a leave cannot be found in any log later, and is rare.
        if (kind is not (PubSubKind.Kick or PubSubKind.Left or PubSubKind.Deleted) && Bytes > limit)
        {
            metrics.CountDropped("mailbox_full");
            if (kind == PubSubKind.Events && _overflowed.TryAdd(channel, true))
            {
                HubLog.MailboxFull(logger, channel.Channel);
                Post(new HubMessage.Overflowed(channel));
            }
            return;
        }
        Interlocked.Add(ref _bytes, bytes.Length + Overhead);
        Post(new HubMessage.Payload(channel, bytes));
    }

    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _messages.Reader.WaitToReadAsync(cancellationToken);

    public bool TryTake(out HubMessage? message)
    {
        if (!_messages.Reader.TryRead(out message))
        {
            return false;
        }

        switch (message)
        {
            case HubMessage.Payload payload:
                Interlocked.Add(ref _bytes, -payload.Bytes.Length - Overhead);
                break;
            case HubMessage.Overflowed overflowed:
                // Before it is handled: what is dropped from now on may be missing from what the log answers.
                _overflowed.TryRemove(overflowed.Channel, out _);
                break;
        }
        return true;
    }
}
