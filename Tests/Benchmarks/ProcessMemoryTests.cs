using AspireChat.Benchmarks.Load;

namespace AspireChat.Tests.Benchmarks;

public sealed class ProcessMemoryTests
{
    [Fact]
    public void The_proportional_size_is_read_and_not_a_part_of_it() =>
        Assert.Equal(250 * 1024, Processes.ProportionalBytes("""
            55bd64a6e000-7ffcbe2cc000 ---p 00000000 00:00 0                          [rollup]
            Rss:                1664 kB
            Pss:                 250 kB
            Pss_Dirty:           112 kB
            SwapPss:               7 kB
            """));

    [Fact]
    public void A_process_that_has_ended_has_no_memory() => Assert.Equal(0, Processes.ProportionalBytes(""));

    [Fact]
    public void This_process_has_memory() => Assert.InRange(Processes.Memory(Environment.ProcessId), 1024 * 1024, long.MaxValue);
}
