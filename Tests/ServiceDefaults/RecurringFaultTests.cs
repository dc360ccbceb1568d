using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class RecurringFaultTests
{
    [Fact]
    public void A_fault_that_recurs_is_logged_at_once_and_then_once_a_minute_with_its_count()
    {
        var time = new FakeTimeProvider();
        var fault = new RecurringFault(time);
        var told = new List<long>();

        // Sixteen partitions fail every second for two minutes.
        for (var second = 0; second < 121; second++)
        {
            for (var partition = 0; partition < 16; partition++)
            {
                if (fault.IsDue(out var count))
                {
                    told.Add(count);
                }
            }
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([1, 16 * 60, 16 * 60], told);
    }
}
