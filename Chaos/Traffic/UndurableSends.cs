using AspireChat.Client;

namespace AspireChat.Chaos.Traffic;

/// <summary>A message that has an <c>ack</c> and no <c>durable</c> yet.</summary>
internal sealed record UndurableSend(string Nonce, string Content, string? Epoch, long Seq);

/// <summary>
/// What an application keeps if its messages must outlive even a wipe of Redis: every message that is acknowledged and not yet durable.
/// When it is told of a new epoch it sends them again with the same nonces. The server recognizes those that were committed after all.
/// Thread-safe.
/// </summary>
internal sealed class UndurableSends
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Conversation, List<UndurableSend>> _sends = [];

    public void Add(Conversation conversation, UndurableSend send)
    {
        lock (_lock)
        {
            ListOf(conversation).Add(send);
        }
    }

    /// <summary>The events of the epoch up to this seq are committed.</summary>
    public void Committed(Conversation conversation, string? epoch, long seq)
    {
        lock (_lock)
        {
            ListOf(conversation).RemoveAll(send => send.Epoch == epoch && send.Seq <= seq);
        }
    }

    /// <summary>Removes and returns the messages that were accepted into any other log than the present one.</summary>
    public List<UndurableSend> TakeLost(Conversation conversation, string present)
    {
        lock (_lock)
        {
            var list = ListOf(conversation);
            var lost = list.Where(send => send.Epoch != present).ToList();
            list.RemoveAll(lost.Contains);
            return lost;
        }
    }

    private List<UndurableSend> ListOf(Conversation conversation)
    {
        if (!_sends.TryGetValue(conversation, out var list))
        {
            _sends.Add(conversation, list = []);
        }

        return list;
    }
}
