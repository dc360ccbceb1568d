namespace AspireChat.ServiceDefaults;

/// <summary>
/// How many threads of the pool work at the same time. Their items are small (a frame, an answer of Redis), and every thread that takes one
/// wakes another to look for more: on two cores one working thread did the same for 20 % less CPU than two (docs/performance-history.md). Hence half
/// the cores; the pool adds others only while these are blocked (its own search for the best number is off: eng/Service.props).
/// </summary>
internal static class ServiceThreads
{
    public static void Set()
    {
        ThreadPool.GetMinThreads(out _, out var completion);
        // The pool starts with the one of runtimeconfig.json; only raising it has an effect on a running pool.
        ThreadPool.SetMinThreads(Math.Max(1, Environment.ProcessorCount / 2), completion);
    }
}
