using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// A connection's read cursors on their way to the log. Those of one interval are written together, and the last of a conversation wins. Each
/// costs a signal of the user's budget; while it is spent, later cursors replace those that wait. A cursor that can't be written is forgotten: the
/// client's next one says more. Thread-safe.
/// </summary>
internal sealed class ReadCursors(string user, TokenBucket signals, IConversationLog log, TimeSpan interval, TimeProvider time)
{
    /// <summary>Conversations that may wait; more are dropped.</summary>
    private const int MostWaiting = 1_000;

    private readonly Lock _gate = new();

    /// <summary>Null: nothing is on its way.</summary>
    private Dictionary<ConversationKey, long>? _waiting;

    public void Move(ConversationKey conversation, long seq)
    {
        lock (_gate)
        {
            var isWriting = _waiting is not null;
            _waiting ??= [];
            if (_waiting.Count < MostWaiting || _waiting.ContainsKey(conversation))
            {
                _waiting[conversation] = Math.Max(seq, _waiting.GetValueOrDefault(conversation));
            }
            if (isWriting)
            {
                return;
            }
        }
        _ = WriteAsync();
    }

    private async Task WriteAsync()
    {
        await Task.Delay(interval, time, CancellationToken.None);
        while (TryTakeNext(out var conversation, out var seq))
        {
            try
            {
                await log.ReadAsync(conversation, user, seq, CancellationToken.None);
            }
            catch (LogUnavailableException)
            {
                // Forgotten; the client's next cursor says more.
            }
            await signals.PayAsync(1, CancellationToken.None);
        }
    }

    private bool TryTakeNext(out ConversationKey conversation, out long seq)
    {
        lock (_gate)
        {
            if (_waiting!.Count == 0)
            {
                _waiting = null;
                (conversation, seq) = (default, 0);
                return false;
            }
            (conversation, seq) = _waiting.First();
            _waiting.Remove(conversation);
            return true;
        }
    }
}
