using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// A connection's read cursors on their way to the log: those of one interval are written together, the last of a conversation wins. A
/// cursor that cannot be written is forgotten; the client's next one says more. Thread-safe.
/// </summary>
internal sealed class ReadCursors(string user, IConversationLog log, TimeSpan interval, TimeProvider time)
{
    private readonly Lock _gate = new();
    private Dictionary<ConversationKey, long> _cursors = [];
    private bool _scheduled;

    public void Move(ConversationKey conversation, long seq)
    {
        lock (_gate)
        {
            _cursors[conversation] = Math.Max(seq, _cursors.GetValueOrDefault(conversation));
            if (_scheduled)
                return;
            _scheduled = true;
        }
        _ = WriteLaterAsync();
    }

    private async Task WriteLaterAsync()
    {
        await Task.Delay(interval, time, CancellationToken.None);
        Dictionary<ConversationKey, long> cursors;
        lock (_gate)
        {
            (cursors, _cursors) = (_cursors, []);
            _scheduled = false;
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
