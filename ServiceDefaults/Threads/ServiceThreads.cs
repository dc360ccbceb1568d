namespace AspireChat.ServiceDefaults;

/// <summary>
/// How many threads of the pool work at the same time: half as many as there are cores. Work items are small (a frame, an answer of Redis),
/// and each thread that takes one wakes another thread to look for more. On two cores, one working thread did the same work for 20 % less
/// CPU than two (docs/performance-history.md). The pool adds threads only while these are blocked. Its own search for the best number is
/// off (eng/Service.props).
/// </summary>
internal static class ServiceThreads
{
    public static void Set()
    {
        ThreadPool.GetMinThreads(out _, out var completion);
        // The pool starts with one thread (runtimeconfig.json). On a running pool the number can only be raised.
        ThreadPool.SetMinThreads(Math.Max(1, Environment.ProcessorCount / 2), completion);
    }
}
