using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Log;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.History;

/// <summary>
/// Appends edits, deletes and reactions. The log itself checks their target while it is in the tail; an older one is looked up in history.
/// What was refused once for good is refused again without a look. Thread-safe.
/// </summary>
internal sealed class Revisions(IConversationLog log, IEventHistory history, IOptions<ConversationLogOptions> options)
{
    private readonly RefusedTargets _known = new();

    /// <summary>Appends and waits for the place: a caller who awaits each keeps the order of what one connection sends.</summary>
    /// <param name="retryAfter">Milliseconds for <see cref="AppendStatus.Unavailable"/>.</param>
    /// <param name="authority">On whose authority it is sent, in a room.</param>
    public async Task<AppendResult> AppendAsync(
        ConversationEvent revision, int retryAfter, CancellationToken cancellationToken, RoomAuthority authority = RoomAuthority.Own)
    {
        // The log is asked first: it knows a repeated nonce, and what is above the head.
        var result = await log.AppendAsync(revision, retryAfter, authority: authority);
        if (result.Status != AppendStatus.TargetNotInTail)
        {
            return result;
        }

        AppendStatus refusal;
        try
        {
            refusal = await CheckAsync(revision, result.Epoch, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return AppendResult.Unavailable(retryAfter);
        }
        // An author never changes, so what was true a moment ago still is. Who moderates may change: the log looks.
        var asModerator = refusal == AppendStatus.NotAuthor && revision is { Kind: EventKind.Delete, Conversation.IsRoom: true };
        return refusal == AppendStatus.Accepted || asModerator
            ? await log.AppendAsync(revision, retryAfter, targetChecked: true, authority: authority, asModerator: asModerator)
            : AppendResult.Refused(refusal, result.Epoch);
    }

    /// <summary>Why the revision of a committed event cannot be accepted; <see cref="AppendStatus.Accepted"/> when it can.</summary>
    private async Task<AppendStatus> CheckAsync(ConversationEvent revision, string epoch, CancellationToken cancellationToken)
    {
        var (conversation, seq) = (revision.Conversation, revision.Target);
        if (_known.Find(epoch, conversation, seq) is { } known && RefusalOf(revision, known) is not AppendStatus.Accepted and var refusal)
        {
            return refusal;
        }

        var isNewReaction = revision.Kind == EventKind.React && !revision.Remove;
        var target = await history.FindTargetAsync(conversation, seq, isNewReaction ? revision.Emoji ?? "" : "", cancellationToken);
        if (target is null)
        {
            // A dead letter, which may be stored one day.
            return AppendStatus.NoSuchTarget;
        }

        var isMessage = target is { Kind: EventKind.Room or EventKind.Dm, Deleted: false };
        var found = new KnownTarget(isMessage ? target.From : null, target.Edits < options.Value.EditsPerMessage);
        _known.Add(epoch, conversation, seq, found);
        return isMessage && isNewReaction && !target.KnowsEmoji && target.Emojis >= options.Value.EmojisPerMessage
            ? AppendStatus.TooManyEmojis
            : RefusalOf(revision, found);
    }

    private static AppendStatus RefusalOf(ConversationEvent revision, KnownTarget target) => revision.Kind switch
    {
        _ when target.From is null => AppendStatus.NoSuchTarget,
        EventKind.React => AppendStatus.Accepted,
        _ when target.From != revision.From => AppendStatus.NotAuthor,
        EventKind.Edit when !target.TakesEdits => AppendStatus.TooManyRevisions,
        _ => AppendStatus.Accepted,
    };
}
