using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>What looks for something to tell again and again, and goes on when Redis or PostgreSQL is away. One loop runs.</summary>
internal sealed class WebhookLoop(TimeSpan interval, TimeProvider time, ILogger logger)
{
    private readonly RecurringFault _outage = new(time);

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
                    WebhookLog.RedisAway(logger, e, count);
                }
            }
            await Task.Delay(interval, time, stoppingToken);
        }
    }
}
