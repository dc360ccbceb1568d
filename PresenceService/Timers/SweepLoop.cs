using AspireChat.PresenceService.State;

namespace AspireChat.PresenceService.Timers;

/// <summary>
/// Sweeps whenever something falls due, and at least every half second: another replica of this service may have set a timer since. That
/// is two script calls a second on an idle system.
/// </summary>
public sealed class SweepLoop(
    Sweep sweep, SweepSignal signal, TimeProvider time, PresenceMetrics metrics, ILogger<SweepLoop> logger) : BackgroundService
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Keeps a flood of reports from becoming a flood of sweeps: each costs several script calls, however little is due. What comes after a
    /// pause is swept at once.
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
                    logger.RedisBack();
                away = false;
                await Task.Delay(Shortest, time, stoppingToken);
                if (next is null || next > Shortest)
                    await signal.WaitAsync(next < Longest ? next.Value - Shortest : Longest, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The loop outlives every fault; a fault that is not Redis' absence shows each time.
                if (!RedisFailure.Is(e))
                    logger.SweepFailed(e);
                else if (!away)
                    logger.RedisAway(e.Message);
                away = true;
                await Task.Delay(Longest, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
