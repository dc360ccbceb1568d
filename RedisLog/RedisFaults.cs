using StackExchange.Redis;

namespace AspireChat.RedisLog;

/// <summary>The one answer to what an exception of a Redis call means, for all services. Thread-safe: pure functions.</summary>
public static class RedisFaults
{
    /// <summary>
    /// Redis is away: it cannot be reached, does not answer in time, or has not loaded its data yet after a restart. The command may have
    /// been carried out all the same. An error answer to a command, a script's fault for example, is not among these.
    /// </summary>
    public static bool IsAway(Exception e) => e switch
    {
        RedisConnectionException or TimeoutException => true,
        RedisServerException => e.Message.StartsWith("LOADING", StringComparison.Ordinal),
        // The connection ended while a command was being written to it: StackExchange.Redis lets the pipe's own exception through
        // ("Writing is not allowed after writer was completed").
        InvalidOperationException => e.Source == "System.IO.Pipelines",
        _ => false,
    };

    /// <summary>
    /// Redis is at its memory limit and refused to write; nothing was changed. It goes on when the log has been committed and trimmed.
    /// </summary>
    public static bool IsFull(Exception e) => e is RedisServerException && e.Message.StartsWith("OOM", StringComparison.Ordinal);

    /// <summary>
    /// Redis is away or answered with an error: its memory is full, it is a read-only replica, a script failed. For callers that answer
    /// both in the same way: they report the fault and try again.
    /// </summary>
    public static bool IsAwayOrRefused(Exception e) => e is RedisException || IsAway(e);
}
