using System.Diagnostics;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Tracing;

/// <summary>
/// Decides at a message's arrival whether it is traced, and begins its first span. Everybody after that only asks the event
/// whether it is a <see cref="TracedEvent"/>: a message that is not traced costs a comparison here and there, and no memory. Thread-safe.
/// </summary>
internal sealed class MessageTracer(IOptions<MessageTracingOptions> options, TimeProvider time)
{
    private readonly double _ratio = options.Value.SampleRatio;
    private readonly TokenBucket _allowance = new(options.Value.MessagesPerSecond, options.Value.MessagesPerSecond, time);

    /// <summary>The source of all spans of this service.</summary>
    public static ActivitySource Source { get; } = new(ConnectionTelemetry.Name);

    /// <summary>The event, traced if it is its turn. What the log answers ends the span.</summary>
    public ConversationEvent Begin(ConversationEvent e) => IsNext() ? Trace(e) : e;

    private bool IsNext() =>
        _ratio > 0 && (_ratio >= 1 || Random.Shared.NextDouble() < _ratio) && Source.HasListeners() && _allowance.TryTake(out _);

    private static ConversationEvent Trace(ConversationEvent e)
    {
        var outer = Activity.Current;
        // A message sent by HTTP is a part of its request's trace. One from a socket begins a trace.
        if (outer is { Recorded: false })
        {
            Activity.Current = null;
        }

        var send = Source.StartActivity("send " + EventKinds.NameOf(e.Kind), ActivityKind.Producer);
        // The connection's loop goes on to other frames, which are no part of this one's trace.
        Activity.Current = outer;
        if (send is not { Recorded: true })
        {
            return e;
        }

        send.SetTag("messaging.operation.name", "send");
        send.SetTag("messaging.operation.type", "send");
        send.SetTag("messaging.destination.name", e.Conversation.Value);
        send.SetTag("messaging.message.id", e.Id.ToString());
        return new TracedEvent(e, send.Context) { Send = send };
    }
}
