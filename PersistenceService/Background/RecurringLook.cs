using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Background;

/// <summary>What looks for work again and again, and goes on when Redis or PostgreSQL is away. One loop runs it.</summary>
/// <param name="interval">From one look to the next; see <see cref="SharedBeat"/>.</param>
/// <param name="interrupted">Told of an outage at once and then once a minute, with how often it happened since.</param>
/// <param name="bell">When it rings, the next look comes at once.</param>
internal sealed class RecurringLook(TimeSpan interval, TimeProvider time, Action<Exception, long> interrupted, Doorbell? bell = null)
{
    private readonly RecurringFault _outage = new(time);

    /// <summary>Looks until <paramref name="stoppingToken"/> is cancelled, and throws then.</summary>
    /// <param name="look">True: there is more, and it looks again at once.</param>
    public async Task RunAsync(Func<CancellationToken, Task<bool>> look, CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                while (await look(stoppingToken))
                {
                    // As many as one look takes.
                }
            }
            catch (Exception e) when (DatabaseFaults.Is(e) || RedisFaults.IsAwayOrRefused(e))
            {
                if (_outage.IsDue(out var count))
                {
                    interrupted(e, count);
                }
            }

            await (bell is null ? SharedBeat.WaitAsync(interval, time, stoppingToken) : bell.WaitAsync(SharedBeat.Next(interval, time), stoppingToken));
        }
    }
}
