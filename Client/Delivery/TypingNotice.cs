using AspireChat.Client.Wire;

namespace AspireChat.Client.Delivery;

/// <summary>
/// Tells the others of one conversation that the user types: at most every 2 s, because the server shows it for 3 s after each frame. Not
/// thread-safe: the session's gate guards it.
/// </summary>
internal sealed class TypingNotice(Conversation name, IDeliveryHost session)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    private TimeSpan? _toldAt;

    public void Tell(bool active)
    {
        if (active && _toldAt is { } told && session.Now - told < Every)
        {
            return;
        }

        if (session.SendDroppable(ClientFrames.Typing(name, active)))
        {
            _toldAt = active ? session.Now : null;
        }
    }
}
