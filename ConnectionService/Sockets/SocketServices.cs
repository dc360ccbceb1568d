using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Node;
using AspireChat.ConnectionService.Presence;
using AspireChat.ConnectionService.Tracing;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>What all sockets of the process share. Thread-safe.</summary>
internal sealed class SocketServices(
    IOptions<SocketOptions> options,
    HubDirectory hubs,
    IConversationLog log,
    Revisions revisions,
    IOptions<ConversationLogOptions> logOptions,
    IPresenceReporter presence,
    UserAllowances allowances,
    UserTokenValidator tokens,
    NodeIdentity node,
    OpenSockets open,
    OutboundQueues outbound,
    Heartbeats heartbeats,
    SocketMetrics metrics,
    MessageTracer tracer,
    TimeProvider time,
    ILogger<SocketSession> logger)
{
    public SocketOptions Options { get; } = options.Value;

    public FrameLimits FrameLimits { get; } = options.Value.Frames;

    public HubDirectory Hubs { get; } = hubs;

    public IConversationLog Log { get; } = log;

    public Revisions Revisions { get; } = revisions;

    /// <summary>Milliseconds that clients wait after <c>unavailable</c>.</summary>
    public int RetryAfter { get; } = (int)logOptions.Value.RetryAfter.TotalMilliseconds;

    public IPresenceReporter Presence { get; } = presence;

    public UserAllowances Allowances { get; } = allowances;

    public UserTokenValidator Tokens { get; } = tokens;

    public NodeIdentity Node { get; } = node;

    public OpenSockets Open { get; } = open;

    public OutboundQueues Outbound { get; } = outbound;

    public Heartbeats Heartbeats { get; } = heartbeats;

    public SocketMetrics Metrics { get; } = metrics;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    public string NewConnectionId() => "c-" + Guid.CreateVersion7(Time.GetUtcNow()).ToString("N");

    /// <summary>
    /// A new event as this node accepts it; seq and epoch come from the log, whose answer the caller tells
    /// <see cref="AppendSpans.End"/>.
    /// </summary>
    public ConversationEvent NewEvent(
        EventKind kind, ConversationKey conversation, string from, string nonce, string? content = null, long target = 0,
        string? emoji = null, bool remove = false)
    {
        var now = Time.GetUtcNow();
        return tracer.Begin(new ConversationEvent
        {
            Kind = kind,
            Conversation = conversation,
            Id = EventId.Create(now),
            From = from,
            Nonce = nonce,
            Content = content,
            Target = target,
            Emoji = emoji,
            Remove = remove,
            Timestamp = now.ToUnixTimeMilliseconds(),
        });
    }
}
