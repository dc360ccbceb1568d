namespace AspireChat.PersistenceService.Webhooks;

internal enum UnseenVerdict
{
    /// <summary>The addressee has seen it, or will.</summary>
    Drop,

    Tell,

    /// <summary>Look again later.</summary>
    Later,
}

/// <summary>When a message counts as unseen by its addressee. Thread-safe: pure functions.</summary>
internal static class UnseenRule
{
    /// <summary>
    /// A connection that is there for this many times <c>UnseenAfter</c> after the message has got it. A dead one is noticed and closed before.
    /// </summary>
    private const int Connected = 4;

    /// <param name="sent">When the message was sent.</param>
    /// <param name="read">The addressee has read up to the message.</param>
    /// <param name="connected">The addressee has a connection now.</param>
    /// <param name="lastSeen">When their last connection closed; null: not known, long ago or never.</param>
    /// <param name="next">With <see cref="UnseenVerdict.Later"/>: when.</param>
    public static UnseenVerdict Judge(
        DateTimeOffset now, DateTimeOffset sent, bool read, bool connected, DateTimeOffset? lastSeen, TimeSpan after, out DateTimeOffset next)
    {
        next = now;
        if (read)
        {
            return UnseenVerdict.Drop;
        }

        if (connected)
        {
            next = now + after;
            return now - sent < Connected * after ? UnseenVerdict.Later : UnseenVerdict.Drop;
        }

        // Connected when it was sent, or since, and gone a moment ago: the connection may have been dead.
        next = (lastSeen is { } seen && seen > sent ? seen : sent) + after;
        return next > now ? UnseenVerdict.Later : UnseenVerdict.Tell;
    }
}
