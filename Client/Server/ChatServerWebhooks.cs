using AspireChat.Client.Api;

namespace AspireChat.Client;

/// <summary>A call of a webhook that was given up after 24 h of attempts. Immutable.</summary>
/// <param name="Id">Its <c>webhook-id</c>.</param>
/// <param name="Webhook">The webhook's number in the configuration.</param>
/// <param name="Room">The room that its events are of; null: they are of no room.</param>
/// <param name="Users">Both users of the direct conversation that its events are of; empty: of none.</param>
/// <param name="Types">The kinds of its events, e.g. <c>message.created</c>.</param>
/// <param name="Events">How many events it has.</param>
/// <param name="First">The lowest seq; 0 where an event has none.</param>
/// <param name="Last">The highest seq.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="Error">Why the last attempt failed.</param>
/// <param name="Timestamp">When it was given up.</param>
public sealed record WebhookDeadLetter(
    string Id, int Webhook, string? Room, IReadOnlyList<string> Users, IReadOnlyList<string> Types, int Events, long First, long Last,
    int Attempts, string Error, DateTimeOffset Timestamp);

/// <summary>What webhooks could not deliver. Thread-safe. Errors are as <see cref="ChatServerClient"/> says.</summary>
public sealed class ChatServerWebhooks
{
    private const string Place = "/api/admin/webhooks/dead-letters";

    private readonly ApiCaller _caller;

    internal ChatServerWebhooks(ApiCaller caller) => _caller = caller;

    /// <summary>All calls that were given up, oldest first. Pages are asked for as they are needed.</summary>
    public IAsyncEnumerable<WebhookDeadLetter> AllDeadLettersAsync(CancellationToken cancellationToken = default) =>
        Pages.AllAsync((after, token) => DeadLettersAsync(after, ApiPath.LargestPage, token), cancellationToken);

    /// <summary>A page of the calls that were given up, oldest first.</summary>
    /// <param name="after">The <see cref="ChatPage{T}.Next"/> of the page before; null: the first page.</param>
    /// <param name="limit">1–200; null: 50.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ChatPage<WebhookDeadLetter>> DeadLettersAsync(
        string? after = null, int? limit = null, CancellationToken cancellationToken = default)
    {
        var path = ApiPath.With(Place, ("after", after), ("limit", ApiPath.Limit(limit)));
        var page = await _caller.CallAsync(ApiCall.Get(path), ApiJson.Default.WireDeadLetters, cancellationToken).ConfigureAwait(false);
        return new ChatPage<WebhookDeadLetter>(
            [.. (page.Items ?? []).Select(letter => new WebhookDeadLetter(
                letter.Id, letter.Webhook, letter.Room, letter.Users ?? [], letter.Types ?? [], letter.Events, letter.First, letter.Last,
                letter.Attempts, letter.Error ?? "", ApiAnswers.Time(letter.Timestamp)))],
            page.Next);
    }

    /// <summary>Sends a call that was given up again: its attempts begin anew, with the same <c>webhook-id</c>.</summary>
    /// <param name="id">The <see cref="WebhookDeadLetter.Id"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.NotFound"/>: there is no such dead letter, or it is being sent already.
    /// <see cref="ChatErrorCodes.NoAnswer"/> and <see cref="ChatErrorCodes.Unavailable"/>: it may be being sent; the list
    /// tells.</exception>
    public Task ReplayAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return _caller.CallAsync(
            ApiCall.Post($"{Place}/{Uri.EscapeDataString(id)}/replay", repeat: Repeat.WhenRefused), cancellationToken);
    }
}
