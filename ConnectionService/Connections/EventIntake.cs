using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// Brings one connection's events into the log, within the user's budget, and passes the log's answers on to the hub that answers the client.
/// Not thread-safe: the connection's read loop calls it. The log's answers may come on any thread.
/// </summary>
/// <param name="retryAfter">Milliseconds that a client waits after <c>unavailable</c>.</param>
internal sealed class EventIntake(
    Connection connection, UserBudget budget, IConversationLog log, IUserQuotas quotas, Revisions revisions, HubDirectory hubs, int retryAfter)
    : IAppendCompletion
{
    private const int MostBegun = 256;

    /// <summary>Direct conversations of which this connection knows that they have begun; null before the first one.</summary>
    private HashSet<ConversationKey>? _begun;

    /// <summary>Takes one event from the budget. False: the client is to wait.</summary>
    public bool TryTake(out TimeSpan wait) => budget.TryTakeEvent(out wait);

    /// <summary>Appends an event that was taken. The answer comes from the hub.</summary>
    /// <param name="authority">On whose authority, in a room.</param>
    public ValueTask AppendAsync(ConversationEvent e, RoomAuthority authority, CancellationToken cancellationToken)
    {
        if (e.Target != 0)
        {
            return ReviseAsync(e, authority, cancellationToken);
        }
        if (e.Kind == EventKind.Dm && _begun?.Contains(e.Conversation) != true)
        {
            return BeginAsync(e, cancellationToken);
        }
        Append(e, authority);
        return ValueTask.CompletedTask;
    }

    public void Completed(ConversationEvent appended, AppendResult result)
    {
        // A repeat is no event, and what the log could not take is sent again. What was refused was worked on, and counts.
        if (result.Status is AppendStatus.Duplicate or AppendStatus.Unavailable)
        {
            budget.GiveEventBack();
        }
        else if (result.Status == AppendStatus.Accepted)
        {
            budget.Written.Add(appended);
        }

        AppendSpans.End(appended, result);
        hubs.OfSender(appended.Conversation, appended.From).Post(new HubMessage.Appended(connection, appended, result));
    }

    /// <summary>The first message of this connection to a user waits until it is known whether it begins a conversation, and may.</summary>
    private async ValueTask BeginAsync(ConversationEvent e, CancellationToken cancellationToken)
    {
        try
        {
            if (await quotas.BeginDirectAsync(e.Conversation, e.From, cancellationToken) is var wait && wait > TimeSpan.Zero)
            {
                var refused = AppendResult.Refused(AppendStatus.TooManyDirects, "");
                Completed(e, refused with { RetryAfter = (int)Math.Ceiling(wait.TotalMilliseconds) });
                return;
            }
            // Knowing them saves a call. Those forgotten are asked for again.
            _begun ??= [];
            if (_begun.Count >= MostBegun)
            {
                _begun.Clear();
            }

            _begun.Add(e.Conversation);
        }
        catch (LogUnavailableException)
        {
            // The append tries for as long as a client is to wait, and answers.
        }
        Append(e);
    }

    private void Append(ConversationEvent e, RoomAuthority authority = RoomAuthority.Own)
    {
        if (!log.TryAppend(new AppendRequest(e, RequireMember: false, this, Authority: authority)))
        {
            Completed(e, AppendResult.Unavailable(retryAfter));
        }
    }

    private async ValueTask ReviseAsync(ConversationEvent e, RoomAuthority authority, CancellationToken cancellationToken) =>
        Completed(e, await revisions.AppendAsync(e, retryAfter, cancellationToken, authority));
}
