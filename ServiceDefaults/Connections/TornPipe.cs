namespace AspireChat.ServiceDefaults;

/// <summary>
/// A connection that ended while a command was being written to it. StackExchange.Redis then lets the pipe's own exception through
/// ("Writing is not allowed after writer was completed") instead of one of its own: Redis is away, and no bug has been met.
/// </summary>
public static class TornPipe
{
    public static bool Is(Exception e) => e is InvalidOperationException { Source: "System.IO.Pipelines" };
}
