using System.Diagnostics;
using AspireChat.ConnectionService.Tracing;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.Log;

/// <summary>One call of append.lua, repeats of it included.</summary>
/// <param name="Number">Counts the calls of the partition's publisher: messages with the same number shared one.</param>
/// <param name="Attempts">0: Redis was away all the time.</param>
/// <param name="Failure">Why it was given up; null when the log has answered.</param>
internal readonly record struct AppendCall(
    int Partition, long Number, int Events, DateTimeOffset Started, TimeSpan Took, int Attempts, string? Failure);

/// <summary>The part of a traced message's way that leads into the log: a span each, from arrival to answer. Thread-safe.</summary>
internal static class AppendSpans
{
    /// <summary>Call it when the answer is there.</summary>
    public static void Record(IReadOnlyList<AppendRequest> requests, in AppendCall call)
    {
        foreach (var request in requests)
        {
            if (request.Event is TracedEvent traced)
            {
                Record(traced, request.TargetChecked, call);
            }
        }
    }

    /// <summary>The log has answered: ends what <see cref="MessageTracer.Begin"/> began.</summary>
    public static void End(ConversationEvent e, in AppendResult result)
    {
        if (e is not TracedEvent { Send: { } send })
        {
            return;
        }

        send.SetTag("aspirechat.append.status", result.Status.ToString());
        if (result.Seq > 0)
        {
            send.SetTag("aspirechat.seq", result.Seq);
        }

        if (result.Status == AppendStatus.Unavailable)
        {
            send.SetStatus(ActivityStatusCode.Error, ErrorCodes.Unavailable);
        }

        send.Stop();
    }

    private static void Record(TracedEvent traced, bool again, in AppendCall call)
    {
        // What is appended again, because its target had to be looked up first, came to the queue at some time in between.
        var arrived = again || traced.Send is null ? call.Started : new DateTimeOffset(traced.Send.StartTimeUtc);
        using var span = MessageTracer.Source.StartActivity("append", ActivityKind.Client, traced.Trace, startTime: arrived);
        if (span is null)
        {
            return;
        }

        span.SetTag("db.system.name", "redis");
        span.SetTag("db.operation.name", "EVALSHA");
        span.SetTag("db.stored_procedure.name", "append.lua");
        span.SetTag("messaging.batch.message_count", call.Events);
        span.SetTag("aspirechat.partition", call.Partition);
        span.SetTag("aspirechat.append.call", call.Number);
        span.SetTag("aspirechat.append.attempts", call.Attempts);
        span.SetTag("aspirechat.append.waited_ms", Math.Max(0, (call.Started - arrived).TotalMilliseconds));
        span.SetTag("aspirechat.append.call_ms", call.Took.TotalMilliseconds);
        if (call.Failure is not null)
        {
            span.SetStatus(ActivityStatusCode.Error, call.Failure);
        }
    }
}
