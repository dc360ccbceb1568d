namespace AspireChat.Chaos.Simulation;

/// <summary>
/// A node in memory: the sends that it has yet to append, the publications that it has yet to hear, and its place in the log. It delivers
/// to those of <paramref name="users"/> that are connected to it.
/// </summary>
internal sealed class SimulatedNode(SimulatedLog log, PlantedBug bug, IReadOnlyList<SimulatedUser> users)
{
    /// <summary>Null while the node follows no log yet.</summary>
    private string? _epoch;

    private long _last;

    public Queue<(SimulatedUser User, string Nonce, int Connection)> Queue { get; } = new();

    public Queue<(string Epoch, SimulatedEvent Event)> Inbox { get; } = new();

    /// <summary>Takes up the log where the node follows none yet, and looks at it where the node knows an older one.</summary>
    public void Follow()
    {
        if (_epoch is null)
        {
            (_epoch, _last) = (log.Epoch, log.Head);
        }

        // A user may know the log better than the node does. The node looks at the log before it takes the user in.
        if (_epoch != log.Epoch)
        {
            CheckHead();
        }
    }

    /// <summary>Hears one publication.</summary>
    public void Hear()
    {
        if (!Inbox.TryDequeue(out var message) || _epoch is null)
        {
            return;
        }

        if (message.Epoch != _epoch)
        {
            CheckHead();
        }
        else if (message.Event.Seq == _last + 1 || (bug == PlantedBug.NoGapRepair && message.Event.Seq > _last))
        {
            Deliver(message.Event);
        }
        else if (message.Event.Seq > _last)
        {
            CheckHead();
        }
    }

    /// <summary>Compares the node's place with the log, and reads what it missed.</summary>
    public void CheckHead()
    {
        if (_epoch is null || log.Epoch is not { } epoch)
        {
            return;
        }

        if (_epoch != epoch)
        {
            (_epoch, _last) = (epoch, log.Head);
            foreach (var user in Connected)
            {
                user.Reload();
            }

            return;
        }
        if (bug == PlantedBug.NoGapRepair)
        {
            _last = Math.Max(_last, log.Head);
            return;
        }
        foreach (var e in log.After(_last).ToList())
        {
            Deliver(e);
        }
    }

    public void Die()
    {
        foreach (var user in Connected)
        {
            user.Disconnect();
        }

        Queue.Clear();
        Inbox.Clear();
        (_epoch, _last) = (null, 0);
    }

    private IEnumerable<SimulatedUser> Connected => users.Where(user => user.Node == this);

    private void Deliver(SimulatedEvent e)
    {
        _last = e.Seq;
        foreach (var user in Connected.Where(user => user.Position < e.Seq))
        {
            user.Receive(e);
        }
    }
}
