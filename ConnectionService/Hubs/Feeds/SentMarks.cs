using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// The local connections that wait to hear that their events of one conversation are durable. Only they get <c>durable</c>. A seq means
/// something only within its epoch: after a rebuild another event may be committed at the place of one that was lost. Belongs to one hub.
/// </summary>
/// <param name="frame">Makes the <c>durable</c> up to a seq.</param>
internal sealed class SentMarks(Func<long, OutboundFrame> frame)
{
    private readonly Dictionary<Connection, (long First, long Last)> _sent = [];
    private string _epoch = "";
    private long _durable;

    public bool IsEmpty => _sent.Count == 0;

    public void Sent(Connection connection, string epoch, long seq)
    {
        Enter(epoch);
        // The commit may have been quicker than the ack's way through the hub.
        if (seq <= _durable)
        {
            connection.Outbound.SendEphemeral(frame(_durable));
            return;
        }
        _sent[connection] = _sent.TryGetValue(connection, out var mark) ? (mark.First, Math.Max(mark.Last, seq)) : (seq, seq);
    }

    /// <summary>All events of the epoch up to <paramref name="seq"/> are committed.</summary>
    public void Committed(string epoch, long seq)
    {
        if (_sent.Count == 0)
        {
            Enter(epoch);
        }

        if (epoch != _epoch || seq <= _durable)
        {
            return;
        }

        _durable = seq;
        OutboundFrame? encoded = null;
        foreach (var (connection, (first, last)) in _sent)
        {
            if (first > seq)
            {
                continue;
            }

            connection.Outbound.SendEphemeral(encoded ??= frame(seq));
            if (last <= seq)
            {
                _sent.Remove(connection);
            }
            else
            {
                _sent[connection] = (seq + 1, last);
            }
        }
    }

    public void Remove(Connection connection) => _sent.Remove(connection);

    /// <summary>Another epoch: its seqs say nothing about these.</summary>
    public void Reset() => Enter("");

    private void Enter(string epoch)
    {
        if (epoch == _epoch)
        {
            return;
        }

        _epoch = epoch;
        _sent.Clear();
        _durable = 0;
    }
}
