using AspireChat.Client.Connecting;
using AspireChat.Client.History;
using AspireChat.Client.Sessions;

namespace AspireChat.Client.Views;

/// <summary>
/// Asks the server how much is unread where the loaded messages do not tell, until the count is exact. The session's gate guards it; the
/// question is asked outside.
/// </summary>
internal sealed class UnreadRecount(
    Conversation conversation, Session session, HistoryApi history, UnreadCount unread, Func<bool> isExact, Action changed,
    CancellationToken ending)
{
    /// <summary>The user's newest conversations come first, 200 on a page.</summary>
    private const int PagesAtMost = 10;

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private bool _isAsking;
    private bool _isAbsent;

    /// <summary>Asks, unless the count is exact or is asked for already. Inside the gate.</summary>
    public void AskIfInexact()
    {
        // A room that the user is no member of has no count. A join tells the cursor.
        if (_isAsking || isExact() || (_isAbsent && !unread.IsKnown))
        {
            return;
        }

        _isAsking = true;
        _ = Task.Run(AskAsync, CancellationToken.None);
    }

    private async Task AskAsync()
    {
        try
        {
            for (var failures = 0; ; failures++)
            {
                var (isAnswered, overview) = await FindAsync().ConfigureAwait(false);
                lock (session.Gate)
                {
                    if (isAnswered && Apply(overview))
                    {
                        return;
                    }
                }

                await Task.Delay(
                    ReconnectPolicy.Backoff(failures, FirstWait, LongestWait, session.Options), session.Options.TimeProvider, ending)
                    .ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or UnauthorizedAccessException)
        {
            // The view ended, or there will be no token.
        }
        finally
        {
            lock (session.Gate)
            {
                _isAsking = false;
            }
        }
    }

    /// <summary>True when there is nothing more to ask. Inside the gate.</summary>
    private bool Apply(Wire.WireOverview? overview)
    {
        _isAbsent = overview is null && conversation.IsRoom;
        if (_isAbsent)
        {
            return true;
        }

        // A direct conversation that is not listed has no message.
        unread.Counted(overview?.Unread ?? 0, overview?.Mentions ?? 0, overview?.Head ?? 0, overview?.Read ?? 0);
        changed();
        return isExact();
    }

    private async Task<(bool IsAnswered, Wire.WireOverview? Overview)> FindAsync()
    {
        string? after = null;
        for (var pages = 0; pages < PagesAtMost; pages++)
        {
            var answer = await history.ConversationsAsync(after, ending).ConfigureAwait(false);
            if (answer.Body is not { } body)
            {
                return (answer.Status == 404, null);
            }

            var found = body.Items?.FirstOrDefault(item => item.Room == conversation.RoomId && item.To == conversation.User);
            if (found is not null || (after = body.Next) is null)
            {
                return (true, found);
            }
        }

        return (true, null);
    }
}
