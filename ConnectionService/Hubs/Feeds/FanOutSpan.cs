using System.Diagnostics;
using AspireChat.ConnectionService.Tracing;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// The span of handing one traced event to the local connections' queues. Of any other event it is empty, costs a comparison and no
/// memory. Belongs to one hub.
/// </summary>
internal readonly ref struct FanOutSpan : IDisposable
{
    private readonly Activity? _span;

    private FanOutSpan(Activity? span) => _span = span;

    public static FanOutSpan Start(EncodedEvent e) => e.Traced is { } traced
        ? new FanOutSpan(MessageTracer.Source.StartActivity("fan-out", ActivityKind.Consumer, traced.Trace))
        : default;

    /// <param name="kind">Of the conversation: <c>room</c> or <c>direct</c>.</param>
    /// <param name="recipients">Connections that got it.</param>
    /// <param name="bytes">In all their queues together.</param>
    public void Delivered(EncodedEvent e, string kind, int recipients, long bytes)
    {
        if (_span is null)
        {
            return;
        }

        _span.SetTag("messaging.operation.name", "fan-out");
        _span.SetTag("messaging.operation.type", "process");
        _span.SetTag("messaging.destination.name", e.Traced!.Conversation.Value);
        _span.SetTag("messaging.message.id", e.Id.ToString());
        _span.SetTag("aspirechat.conversation.kind", kind);
        _span.SetTag("aspirechat.seq", e.Seq);
        _span.SetTag("aspirechat.fan_out.recipients", recipients);
        _span.SetTag("aspirechat.fan_out.bytes", bytes);
    }

    public void Dispose() => _span?.Dispose();
}
