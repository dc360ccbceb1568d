using AspireChat.Client.Wire;

namespace AspireChat.Client.Delivery;

/// <summary>
/// The user's own read cursor of one conversation: kept until a connection has carried it, told at most once a second. Guarded by the
/// session.
/// </summary>
internal sealed class ReadReceipts(Conversation name, IDeliveryHost session)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private long _wanted;
    private long _sent;
    private long _known;
    private TimeSpan _sentAt = TimeSpan.MinValue;

    /// <summary>The server has the cursor at <paramref name="seq"/>.</summary>
    public void Known(long seq)
    {
        _known = Math.Max(_known, seq);
        _sent = Math.Max(_sent, seq);
        _wanted = Math.Max(_wanted, seq);
    }

    public void Move(long seq)
    {
        _wanted = Math.Max(_wanted, seq);
        Tick();
    }

    public void Tick()
    {
        if (_wanted <= _sent)
        {
            return;
        }

        if (_sentAt > session.Now - Every)
        {
            session.WakeAt(_sentAt + Every);
        }
        else
        {
            Send();
        }
    }

    /// <summary>Tells now what was not told yet, if the conversation can.</summary>
    public void Send()
    {
        if (_wanted <= _sent || !session.IsReady(name) || !session.Send(ClientFrames.Read(name, _wanted)))
        {
            return;
        }

        _sent = _wanted;
        _sentAt = session.Now;
    }

    /// <summary>What no answer has confirmed goes again on the next connection: the frame has none of its own.</summary>
    public void Down() => _sent = _known;
}
