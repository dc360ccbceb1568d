using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Presence;
using AspireChat.ConnectionService.Profiles;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Connections;

/// <summary>Makes each connection's <see cref="FrameHandler"/>. Thread-safe.</summary>
internal sealed class FrameHandlers(
    IOptions<SocketOptions> options,
    IOptions<ConversationLogOptions> logOptions,
    HubDirectory hubs,
    IConversationLog log,
    IUserQuotas quotas,
    Revisions revisions,
    NewEvents events,
    IPresenceReporter presence,
    UserTokenValidator tokens,
    UserProfiles profiles,
    SocketMetrics metrics,
    TimeProvider time)
{
    private readonly int _retryAfter = logOptions.Value.RetryAfterMilliseconds;

    public FrameHandler For(Connection connection, UserBudget budget) => new(
        connection,
        new EventIntake(connection, budget, log, quotas, revisions, hubs, _retryAfter),
        budget,
        events,
        new ReadCursors(connection.User, budget.Signals, log, options.Value.CursorInterval, time),
        hubs,
        presence,
        tokens,
        profiles,
        metrics,
        options.Value,
        time);
}
