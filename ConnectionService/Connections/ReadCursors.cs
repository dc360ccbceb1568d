using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// A connection's read cursors on their way to the log: those of one interval are written together, the last of a conversation wins. A
/// cursor that cannot be written is forgotten; the client's next one says more. Thread-safe.
/// </summary>
internal sealed class ReadCursors(string user, IConversationLog log, TimeSpan interval, TimeProvider time)
{
    private readonly Lock _gate = new();

    /// <summary>Null: nothing is on its way.</summary>
    private Dictionary<ConversationKey, long>? _cursors;

    public void Move(ConversationKey conversation, long seq)
    {
        lock (_gate)
        {
            var isScheduled = _cursors is not null;
            _cursors ??= [];
            _cursors[conversation] = Math.Max(seq, _cursors.GetValueOrDefault(conversation));
            if (isScheduled)
            {
                return;
            }
        }
        _ = WriteLaterAsync();
    }

    private async Task WriteLaterAsync()
    {
        await Task.Delay(interval, time, CancellationToken.None);
        Dictionary<ConversationKey, long> cursors;
        lock (_gate)
        {
            (cursors, _cursors) = (_cursors!, null);
        }
        foreach (var (conversation, seq) in cursors)
        {
            try
            {
                await log.ReadAsync(conversation, user, seq, CancellationToken.None);
            }
            catch (LogUnavailableException)
            {
                return;
            }
        }
    }
}
