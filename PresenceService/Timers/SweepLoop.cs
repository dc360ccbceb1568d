using AspireChat.RedisLog;

namespace AspireChat.PresenceService.Timers;

/// <summary>
/// Sweeps whenever something falls due, and at least once a second, because another replica of this service may have set a timer and died.
/// That is one script call a second on an idle system.
/// </summary>
public sealed class SweepLoop(
    Sweep sweep, Doorbell bell, TimeProvider time, PresenceMetrics metrics, ILogger<SweepLoop> logger) : BackgroundService
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    /// <summary>Between two attempts while Redis is away.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Least time between two sweeps. A sweep costs several script calls, however little is due, and a flood of reports must not become a
    /// flood of sweeps. After a pause the first sweep follows at once.
    /// </summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(150);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var away = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var started = time.GetTimestamp();
                var next = await sweep.RunAsync(stoppingToken);
                metrics.Swept(time.GetElapsedTime(started));
                if (away)
                {
                    logger.RedisBack();
                }

                away = false;
                if (next is null || next > Shortest)
                {
                    await bell.WaitAsync(next < Longest ? next.Value : SharedBeat.Next(Longest, time), stoppingToken);
                }
                if (Shortest - time.GetElapsedTime(started) is var early && early > TimeSpan.Zero)
                {
                    await Task.Delay(early, time, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The loop outlives every fault. A fault other than Redis' absence is a bug, and logged each time.
                if (!RedisFaults.IsAway(e) && !RedisFaults.IsFull(e))
                {
                    logger.SweepFailed(e);
                }
                else if (!away)
                {
                    logger.RedisAway(e.Message);
                }

                away = true;
                await Task.Delay(Retry, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
