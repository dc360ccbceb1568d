using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Outbound;

/// <summary>
/// The sending half of a connection: a queue bounded in bytes with one drainer. Thread-safe; no call blocks, so hubs may use it. When the
/// queue is full, ephemeral frames go first; if that is not enough the connection is closed as too slow (4008) and resumes later.
/// </summary>
internal interface IOutbound
{
    /// <summary>Queues a frame that must not be skipped. False: the connection is closed or closing.</summary>
    bool Send(OutboundFrame frame);

    /// <summary>
    /// Queues a frame that a slow client may miss (typing, presence, cursors). It causes no write of its own at once: it waits a few
    /// milliseconds for one that it can ride along with. False: it was dropped.
    /// </summary>
    bool SendEphemeral(OutboundFrame frame);

    /// <summary>
    /// For replays, which must not push a reading client over its limit. False: there is space now, go on. True: wait, and
    /// <paramref name="resume"/> is called once, on any thread, when the queue is nearly empty.
    /// </summary>
    bool TryWaitForSpace(Action resume);

    /// <summary>Sends what is queued (not when the client is too slow), then the close frame. Later calls and frames are
    /// ignored.</summary>
    void Close(int code, string reason);
}
