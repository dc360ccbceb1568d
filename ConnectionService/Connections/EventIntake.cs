using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// Brings one connection's events into the log, within the user's budget, and passes the log's answers on to the hub that answers the client.
/// Thread-safe.
/// </summary>
/// <param name="retryAfter">Milliseconds that a client waits after <c>unavailable</c>.</param>
internal sealed class EventIntake(
    Connection connection, UserBudget budget, IConversationLog log, Revisions revisions, HubDirectory hubs, int retryAfter) : IAppendCompletion
{
    /// <summary>Takes one event from the budget. False: the client is to wait.</summary>
    public bool TryTake(out TimeSpan wait) => budget.TryTakeEvent(out wait);

    /// <summary>Appends an event that was taken. The answer comes from the hub.</summary>
    public ValueTask AppendAsync(ConversationEvent e, CancellationToken cancellationToken)
    {
        if (e.Target != 0)
        {
            return ReviseAsync(e, cancellationToken);
        }
        if (!log.TryAppend(new AppendRequest(e, RequireMember: false, this)))
        {
            Completed(e, AppendResult.Unavailable(retryAfter));
        }
        return ValueTask.CompletedTask;
    }

    public void Completed(ConversationEvent appended, AppendResult result)
    {
        // A repeat is no event, and what the log could not take is sent again. What was refused was worked on, and counts.
        if (result.Status is AppendStatus.Duplicate or AppendStatus.Unavailable)
        {
            budget.GiveEventBack();
        }
        AppendSpans.End(appended, result);
        hubs.OfSender(appended.Conversation, appended.From).Post(new HubMessage.Appended(connection, appended, result));
    }

    private async ValueTask ReviseAsync(ConversationEvent e, CancellationToken cancellationToken) =>
        Completed(e, await revisions.AppendAsync(e, retryAfter, cancellationToken));
}
