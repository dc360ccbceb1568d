using AspireChat.Client.Sending;

namespace AspireChat.Client.Delivery;

/// <summary>
/// A replay that was asked for on the present connection. Its end can be lost, so a replay that pauses for <paramref name="longestPause"/>
/// counts as stalled. Not thread-safe: the session's gate guards it.
/// </summary>
internal sealed class Replay(IOutboxHost host, TimeSpan longestPause)
{
    private TimeSpan _heardAt;

    /// <summary>It was asked for and has not ended.</summary>
    public bool IsUnderWay { get; private set; }

    public bool HasStalled => IsUnderWay && host.Now - _heardAt >= longestPause;

    public void Begin()
    {
        IsUnderWay = true;
        _heardAt = host.Now;
        host.WakeAt(host.Now + longestPause);
    }

    /// <summary>An event arrived. Whether it belongs to the replay cannot be told, so each one counts.</summary>
    public void Heard() => _heardAt = host.Now;

    public void End() => IsUnderWay = false;
}
