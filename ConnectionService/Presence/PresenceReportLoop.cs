using AspireChat.Contracts.Presence;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Presence;

/// <summary>
/// Carries the reporter's reports to PresenceService, one at a time: at once on a quiet replica, so that who came first is known first; a few
/// times a second while much changes; and as a lease renewal when nothing does. While PresenceService is away it keeps trying with backoff; at the end of the process it says that
/// nobody is connected any more.
/// </summary>
public sealed class PresenceReportLoop(
    PresenceReporter reporter,
    IPresenceClient client,
    IOptions<PresenceReportingOptions> options,
    PresenceReportingMetrics metrics,
    TimeProvider time,
    ILogger<PresenceReportLoop> logger) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Reports that a quiet replica sends without an interval between them.</summary>
    private const int Burst = 4;

    private readonly string _replica = options.Value.Replica ?? ReplicaName.Create();
    private bool _away;

    /// <summary>Until when the reports so far have paid (GCRA, the leaky bucket of ATM): each pays for an interval.</summary>
    private DateTimeOffset _paidUntil;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        logger.Starting(_replica);
        var pause = FirstPause;
        try
        {
            while (true)
            {
                Pay();
                if (await SendAsync(reporter.Take(), stoppingToken))
                {
                    pause = FirstPause;
                    if (!reporter.NeedsFull)
                    {
                        await WaitForChangeAsync(stoppingToken);
                        await WaitAsync(Debt - options.Value.Gather, stoppingToken);
                    }
                    await WaitAsync(options.Value.Gather, stoppingToken);
                    reporter.Wake.TryRead(out _);
                }
                else
                {
                    // Jitter: the replicas must not come back to a restarted PresenceService in step.
                    await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), time, stoppingToken);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops; StopAsync says farewell.
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (await SendAsync(reporter.TakeFarewell(), cancellationToken))
        {
            logger.SaidFarewell(_replica);
        }
    }

    private TimeSpan Debt => _paidUntil - time.GetUtcNow() - (Burst - 1) * options.Value.Interval;

    private void Pay()
    {
        var now = time.GetUtcNow();
        _paidUntil = (_paidUntil > now ? _paidUntil : now) + options.Value.Interval;
    }

    private Task WaitAsync(TimeSpan longer, CancellationToken cancellationToken) =>
        longer > TimeSpan.Zero ? Task.Delay(longer, time, cancellationToken) : Task.CompletedTask;

    private async Task WaitForChangeAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(reporter.Wake.WaitToReadAsync(either.Token).AsTask(), SharedBeat.WaitAsync(options.Value.Renewal, time, either.Token));
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>False: PresenceService is away, and what the report said will be said again.</summary>
    private async Task<bool> SendAsync(PresenceReport report, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        using var deadline = new CancellationTokenSource(options.Value.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var answer = await client.ReportAsync(_replica, report, either.Token);
            if (answer.NeedFull)
            {
                logger.FullWanted(_replica);
                reporter.Unknown(report);
            }
            metrics.Reported(answer.NeedFull ? "need_full" : report.Full ? "full" : "change", time.GetElapsedTime(started));
            if (_away)
            {
                logger.Back(_replica);
            }

            _away = false;
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            reporter.Failed(report);
            metrics.Reported("failed", time.GetElapsedTime(started));
            // Once per outage: the retries come several times a second.
            if (!_away)
            {
                logger.Away(_replica, e.Message);
            }

            _away = true;
            return false;
        }
        catch (OperationCanceledException)
        {
            reporter.Failed(report);
            return false;
        }
    }
}
