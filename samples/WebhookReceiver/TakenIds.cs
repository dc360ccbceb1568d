namespace AspireChat.WebhookReceiver;

/// <summary>
/// The ids of the last calls that were taken. A real receiver keeps them in the database, in the transaction of what it does with a call: then
/// also a crash in between costs nothing. Thread-safe.
/// </summary>
internal sealed class TakenIds(int most)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _ids = [];
    private readonly Queue<string> _order = new();

    public bool Contains(string id)
    {
        lock (_gate)
        {
            return _ids.Contains(id);
        }
    }

    public void Add(string id)
    {
        lock (_gate)
        {
            if (!_ids.Add(id))
            {
                return;
            }

            _order.Enqueue(id);
            if (_order.Count > most)
            {
                _ids.Remove(_order.Dequeue());
            }
        }
    }
}
