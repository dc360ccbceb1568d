using AspireChat.Client.Wire;

namespace AspireChat.Client.Delivery;

/// <summary>
/// The user's own read cursor of one conversation. It is kept until a connection has carried it, and sent at most once a second. Not
/// thread-safe: the session's gate guards it.
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

    /// <summary>Sends the cursor now if the server does not have it yet and the conversation is ready.</summary>
    public void Send()
    {
        if (_wanted <= _sent || !session.IsReady(name) || !session.Send(ClientFrames.Read(name, _wanted)))
        {
            return;
        }

        _sent = _wanted;
        _sentAt = session.Now;
    }

    /// <summary>The <c>read</c> frame has no answer, so an unconfirmed cursor is sent again on the next connection.</summary>
    public void Down() => _sent = _known;
}
