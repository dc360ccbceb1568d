using StackExchange.Redis;

namespace AspireChat.ServiceDefaults;

public static class RedisFaults
{
    /// <summary>
    /// Redis is away, or refused. A connection that ended while a command was being written to it belongs to these: StackExchange.Redis then lets
    /// the pipe's own exception through ("Writing is not allowed after writer was completed") instead of one of its own.
    /// </summary>
    public static bool Is(Exception e) => e is RedisException or InvalidOperationException { Source: "System.IO.Pipelines" };
}
