using AspireChat.Chaos.Ledgers;

namespace AspireChat.Chaos.Simulation;

/// <summary>A user in memory with one device: its view of the conversation, its connection, and its one send at a time.</summary>
internal sealed class SimulatedUser(string name, MemberView view, SimulatedLog log)
{
    public string Name => name;

    public MemberView View => view;

    /// <summary>Null while the user is not connected.</summary>
    public SimulatedNode? Node { get; private set; }

    /// <summary>Rises with each connection and each loss, so that an answer over an old connection is known as such.</summary>
    public int Connection { get; private set; }

    /// <summary>The seq up to which the present connection has delivered.</summary>
    public long Position { get; private set; }

    public long Order { get; set; }

    public bool Sends { get; set; } = true;

    /// <summary>The nonce of the send that is not answered yet.</summary>
    public string? Waiting { get; set; }

    public bool IsUnderWay { get; set; }

    /// <summary>Resumes with the view's cursor. The user gets the missed events, or reloads when the log is another one.</summary>
    public void Connect(SimulatedNode node)
    {
        node.Follow();
        Node = node;
        Connection++;
        if (view.Epoch != log.Epoch || view.Last > log.Head)
        {
            Reload();
            return;
        }
        Position = view.Last;
        foreach (var e in log.After(Position).ToList())
        {
            Receive(e);
        }
    }

    public void Disconnect()
    {
        if (Node is null)
        {
            return;
        }

        (Node, IsUnderWay) = (null, false);
        Connection++;
    }

    public void Receive(SimulatedEvent e)
    {
        Position = e.Seq;
        view.Deliver(view.Epoch, e.Seq, e.Id, e.Nonce);
    }

    public void Reload()
    {
        Position = log.Head;
        view.Reload(log.Epoch!);
        view.Restore(0, [.. log.After(0).Select(e => (e.Seq, e.Id))]);
    }
}
