using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.History;

/// <summary>
/// Appends edits, deletes and reactions. The log itself checks their target while it is in the tail; an older one is looked up in history.
/// Thread-safe.
/// </summary>
internal sealed class Revisions(IConversationLog log, EventReader events)
{
    /// <summary>Appends and waits for the place: a caller who awaits each keeps the order of what one connection sends.</summary>
    /// <param name="retryAfter">Milliseconds for <see cref="AppendStatus.Unavailable"/>.</param>
    public async Task<AppendResult> AppendAsync(ConversationEvent revision, int retryAfter, CancellationToken cancellationToken)
    {
        var result = await log.AppendAsync(revision, retryAfter);
        if (result.Status != AppendStatus.TargetNotInTail)
        {
            return result;
        }

        ConversationEvent? target;
        try
        {
            target = await events.FindAsync(revision.Conversation, revision.Target, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or LogUnavailableException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return AppendResult.Unavailable(retryAfter);
        }
        if (target is not { Kind: EventKind.Room or EventKind.Dm, Deleted: false })
        {
            return AppendResult.Refused(AppendStatus.NoSuchTarget, result.Epoch);
        }
        // An author never changes, so what was true a moment ago still is.
        if (revision.Kind != EventKind.React && target.From != revision.From)
        {
            return AppendResult.Refused(AppendStatus.NotAuthor, result.Epoch);
        }

        return await log.AppendAsync(revision, retryAfter, targetChecked: true);
    }
}
