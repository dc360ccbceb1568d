using System.Diagnostics;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Sockets;
using AspireChat.Contracts.Log;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Tracing;

/// <summary>
/// Decides at a message's arrival whether it is traced, and begins and ends its first span. Everybody after that only asks the event
/// whether it is a <see cref="TracedEvent"/>: a message that is not traced costs a comparison here and there, and no memory. Thread-safe.
/// </summary>
internal sealed class MessageTracer(IOptions<MessageTracingOptions> options, TimeProvider time)
{
    private readonly double _ratio = options.Value.SampleRatio;
    private readonly TokenBucket _allowance = new(options.Value.MessagesPerSecond, options.Value.MessagesPerSecond, time);

    /// <summary>The source of all spans of this service.</summary>
    public static ActivitySource Source { get; } = new("AspireChat.ConnectionService");

    /// <summary>The event, traced if it is its turn. Whoever gets its answer calls <see cref="End"/>.</summary>
    public ConversationEvent Begin(ConversationEvent e) => IsNext() ? Trace(e) : e;

    /// <summary>The log has answered: ends what <see cref="Begin"/> began.</summary>
    public static void End(ConversationEvent e, in AppendResult result)
    {
        if (e is not TracedEvent { Send: { } send })
            return;
        send.SetTag("aspirechat.append.status", result.Status.ToString());
        if (result.Seq > 0)
            send.SetTag("aspirechat.seq", result.Seq);
        if (result.Status == AppendStatus.Unavailable)
            send.SetStatus(ActivityStatusCode.Error, "unavailable");
        send.Stop();
    }

    private bool IsNext() =>
        _ratio > 0 && (_ratio >= 1 || Random.Shared.NextDouble() < _ratio) && Source.HasListeners() && _allowance.TryTake(out _);

    private static ConversationEvent Trace(ConversationEvent e)
    {
        var outer = Activity.Current;
        // A message sent by HTTP is a part of its request's trace. One from a socket begins a trace.
        if (outer is { Recorded: false })
            Activity.Current = null;
        var send = Source.StartActivity("send " + LogRecordCodec.NameOf(e.Kind), ActivityKind.Producer);
        // The connection's loop goes on to other frames, which are no part of this one's trace.
        Activity.Current = outer;
        if (send is not { Recorded: true })
            return e;
        send.SetTag("messaging.system", "aspirechat");
        send.SetTag("messaging.operation.name", "send");
        send.SetTag("messaging.operation.type", "send");
        send.SetTag("messaging.destination.name", e.Conversation.Value);
        send.SetTag("messaging.message.id", e.Id.ToString());
        return new TracedEvent(e, send.Context) { Send = send };
    }
}
