using AspireChat.Client.Connecting;
using AspireChat.Client.History;

namespace AspireChat.Client.Delivery;

/// <summary>
/// Finds direct conversations that the session does not follow yet and in which something was written since it began. Before the first
/// connection it notes how far each of the user's conversations reaches. After every connection it follows those that have grown, from
/// there. Where the server has no overview, or the look fails, only this is left out.
/// </summary>
internal sealed class DirectConversations(IDeliveryHost session, HistoryApi history)
{
    /// <summary>Enough for a short failure, and few enough that an outage does not keep the session from connecting.</summary>
    private const int AttemptsBefore = 4;

    private Dictionary<string, long>? _heads;
    private bool _tried;
    private bool _looking;

    /// <summary>
    /// Where the session begins in the conversation with <paramref name="user"/>; null when that is not known. Inside the gate.
    /// </summary>
    public ConversationCursor? BeginningOf(string user) =>
        _heads is null ? null : new ConversationCursor(_heads.GetValueOrDefault(user), null);

    public async Task BeforeConnectAsync(CancellationToken cancellationToken)
    {
        if (_tried || !session.Options.FindDirectConversations)
        {
            return;
        }

        _tried = true;
        // Chat must not wait for history, so this may take half of the attempt's time.
        using var patience = new CancellationTokenSource(session.Options.ConnectTimeout / 2, session.Options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            for (var attempt = 0; attempt < AttemptsBefore; attempt++)
            {
                var answer = await history.ConversationsAsync(null, either.Token).ConfigureAwait(false);
                if (answer.Body is { } body)
                {
                    lock (session.Gate)
                    {
                        _heads = HeadsOf(body);
                    }
                }
                // Who gives no good token here gives none to the connection: asking again is for its attempts.
                if (answer.Body is not null || answer.IsFinal || answer.Status == 401)
                {
                    return;
                }

                var wait = ReconnectPolicy.Backoff(attempt, session.Options.RepairDelay, TimeSpan.FromSeconds(1), session.Options);
                await Task.Delay(wait, session.Options.TimeProvider, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The look after the welcome makes up for it.
        }
    }

    /// <summary>Looks once per connection. Inside the gate.</summary>
    public void OnWelcome(CancellationToken cancellationToken)
    {
        if (_looking || !session.Options.FindDirectConversations)
        {
            return;
        }

        _looking = true;
        _ = Task.Run(() => LookAsync(cancellationToken), CancellationToken.None);
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            // After a node's end all its clients reconnect at once. A random wait spreads their looks, and no conversation that is followed
            // already depends on them.
            await Task.Delay(session.Options.RepairDelay * 10 * session.Options.Chance(), session.Options.TimeProvider, cancellationToken)
                .ConfigureAwait(false);
            for (var failures = 0; ; failures++)
            {
                var answer = await history.ConversationsAsync(null, cancellationToken).ConfigureAwait(false);
                lock (session.Gate)
                {
                    if (answer.Body is { } body)
                    {
                        Follow(HeadsOf(body));
                    }

                    if (answer.Body is not null || answer.IsFinal || !session.IsConnected)
                    {
                        _looking = false;
                        return;
                    }
                }
                var wait = ReconnectPolicy.Backoff(failures, session.Options.RepairDelay * 4, TimeSpan.FromSeconds(30), session.Options);
                await Task.Delay(answer.RetryAfter ?? wait, session.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The client ended.
        }
        catch (UnauthorizedAccessException)
        {
            lock (session.Gate)
            {
                _looking = false;
            }
        }
    }

    private void Follow(Dictionary<string, long> heads)
    {
        if (_heads is null)
        {
            _heads = heads;
            return;
        }
        foreach (var (user, head) in heads)
        {
            if (head > _heads.GetValueOrDefault(user))
            {
                session.Track(Conversation.With(user)).Log.OnOverview(head);
            }
        }
    }

    private static Dictionary<string, long> HeadsOf(Wire.WireOverviews body) =>
        (body.Items ?? []).Where(item => item.To is not null).ToDictionary(item => item.To!, item => item.Head);
}
