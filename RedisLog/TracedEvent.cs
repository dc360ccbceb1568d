using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using AspireChat.Contracts.Log;

namespace AspireChat.RedisLog;

/// <summary>
/// An event whose way is traced. Its record carries the trace's context to every node and to PersistenceService, never to a client. It is a
/// type of its own, so that the many events that are not traced carry nothing for it. Immutable.
/// </summary>
public sealed record TracedEvent : ConversationEvent
{
    private const string Version = "00-";

    /// <summary><paramref name="e"/> as a part of the trace.</summary>
    [SetsRequiredMembers]
    public TracedEvent(ConversationEvent e, ActivityContext trace) : base(e) => Trace = trace;

    /// <summary>The span that every other span of the message is a child of.</summary>
    public ActivityContext Trace { get; }

    /// <summary>That span itself, on the node that accepts the event and until it is answered; it is not stored.</summary>
    public Activity? Send { get; init; }

    /// <summary>The context as W3C <c>traceparent</c>, 55 characters.</summary>
    public string TraceParent => $"{Version}{Trace.TraceId}-{Trace.SpanId}-01";

    /// <summary><paramref name="e"/> with its record's trace; as it is when the text is no context, or one that is not recorded.</summary>
    internal static ConversationEvent Of(ConversationEvent e, string traceParent) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var trace) && trace.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
            ? new TracedEvent(e, trace)
            : e;
}
