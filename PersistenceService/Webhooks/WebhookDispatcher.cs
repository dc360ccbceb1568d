using System.Threading.Channels;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Outbox;
using AspireChat.PersistenceService.Partitions;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Npgsql;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>
/// Tells one webhook what its outbox has, in the partitions that this replica owns. A call carries one conversation's events, so what fails
/// holds up that conversation and no other. Each call is fixed in the database before its first attempt, so whoever repeats it, this replica or
/// the next owner, sends the same events under the same id. One loop takes lanes and prepares their calls, one completes them.
/// </summary>
internal sealed class WebhookDispatcher : IDisposable
{
    /// <summary>Lanes whose calls are prepared together: at most this many contents of 256 Ki code units are read at a time.</summary>
    private const int LanesPerLook = 32;

    /// <summary>Lanes known at a time, about 100 bytes each.</summary>
    private const int MostLanes = 20_000;

    /// <summary>What the bell did not tell, another replica's late commit, is found within this time.</summary>
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(10);

    /// <summary>After a fault of the database, or while a lane waits for a lower seq.</summary>
    private static readonly TimeSpan ShortPause = TimeSpan.FromMilliseconds(250);

    private readonly short _number;
    private readonly WebhookTarget _target;
    private readonly WebhookOptions _options;
    private readonly WebhookTable _table;
    private readonly PartitionOwnership _ownership;
    private readonly OutboxBell _outbox;
    private readonly WebhookMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WebhookSender _sender;
    private readonly Lanes _lanes;
    private readonly Doorbell _bell;
    private readonly RecurringFault _failing;
    private readonly RecurringFault _away;

    /// <summary>Unbounded, because it holds no more than there are calls under way.</summary>
    private readonly Channel<(WebhookBatch Batch, WebhookAnswer Answer)> _sent = Channel.CreateUnbounded<(WebhookBatch, WebhookAnswer)>();
    private volatile HashSet<int> _owned = [];
    private long _sweptAt;

    public WebhookDispatcher(
        int number, WebhookTarget target, WebhookOptions options, WebhookTable table, PartitionOwnership ownership, OutboxBell outbox,
        WebhookMetrics metrics, TimeProvider time, ILogger<WebhookDispatcher> logger)
    {
        (_number, _target, _options, _table) = ((short)number, target, options, table);
        (_ownership, _outbox, _metrics, _time, _logger) = (ownership, outbox, metrics, time, logger);
        _sender = new WebhookSender(target, options, time);
        var repeats = Math.Max(1, options.InFlight / 4);
        _lanes = new Lanes(MostLanes, Math.Max(1, options.InFlight - repeats), repeats, time);
        _bell = new Doorbell(time);
        (_failing, _away) = (new RecurringFault(time), new RecurringFault(time));
    }

    /// <summary>Works until <paramref name="stop"/>. Calls under way are given up then: they are repeated by the next owner.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        _outbox.Rung += OnRung;
        _ownership.Changed += _bell.Ring;
        var completing = CompleteAsync(stop);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await StepAsync(stop);
                }
                catch (Exception e) when (DatabaseFaults.Is(e))
                {
                    Away(e);
                    await Task.Delay(ShortPause, _time, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopping.
        }
        finally
        {
            _outbox.Rung -= OnRung;
            _ownership.Changed -= _bell.Ring;
            await completing;
        }
    }

    public void Dispose() => _sender.Dispose();

    private void OnRung(string lane, WebhookKind kind)
    {
        var partition = LogPartitions.Of(lane);
        if (_target.Wants(kind) && _owned.Contains(partition))
        {
            _lanes.Wake(lane, (short)partition);
            _bell.Ring();
        }
    }

    private async Task StepAsync(CancellationToken stop)
    {
        await SweepAsync(stop);
        var lanes = _lanes.Take(LanesPerLook);
        if (lanes.Count == 0)
        {
            var longest = SweepEvery - _time.GetElapsedTime(_sweptAt);
            var wait = _lanes.UntilDue is { } due && due < longest ? due : longest;
            await _bell.WaitAsync(wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1), stop);
            return;
        }

        List<WebhookBatch> batches;
        try
        {
            batches = await _table.PrepareAsync(_number, lanes, stop);
        }
        catch (Exception e) when (DatabaseFaults.Is(e) || e is LaneTakenException)
        {
            if (e is not LaneTakenException and not PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                Away(e);
            }

            foreach (var lane in lanes)
            {
                _lanes.Pause(lane, _time.GetUtcNow() + ShortPause, lane.Repeats);
            }

            return;
        }

        Start(lanes, batches, stop);
    }

    private void Start(List<Lane> lanes, List<WebhookBatch> batches, CancellationToken stop)
    {
        var idle = lanes.ToHashSet();
        foreach (var batch in batches)
        {
            idle.Remove(batch.Lane);
            if (batch.Rows.Count == 0)
            {
                _lanes.Pause(batch.Lane, _time.GetUtcNow() + ShortPause, repeats: false);
            }
            else
            {
                _ = SendAsync(batch, stop);
            }
        }

        foreach (var lane in idle)
        {
            _lanes.Done(lane, more: false);
        }
    }

    /// <summary>Takes over what the partitions that this replica owns now have, and drops what others own.</summary>
    private async Task SweepAsync(CancellationToken stop)
    {
        var owned = _ownership.Owned.ToHashSet();
        if (_sweptAt != 0 && _time.GetElapsedTime(_sweptAt) < SweepEvery && owned.SetEquals(_owned))
        {
            return;
        }

        // What is committed from here on rings; what was before is read now.
        (_owned, _sweptAt) = (owned, 0);
        _lanes.Keep(owned);
        if (owned.Count > 0)
        {
            await _table.FindAsync(_number, owned, MostLanes, _lanes, stop);
        }

        _sweptAt = _time.GetTimestamp();
    }

    private async Task SendAsync(WebhookBatch batch, CancellationToken stop)
    {
        // The calls of a look leave side by side.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var answer = new WebhookAnswer("the call failed");
        try
        {
            var started = _time.GetTimestamp();
            answer = batch.HasEvents ? await _sender.SendAsync(batch, stop) : default;
            if (answer.Error is null)
            {
                _metrics.Taken(_number, batch.Events, _time.GetElapsedTime(started), _time.GetUtcNow() - batch.QueuedAt);
            }
            else
            {
                _metrics.Failed(_number, _time.GetElapsedTime(started));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            // A bug must not keep the lane busy for ever.
            WebhookLog.CallFailed(_logger, e, _number);
        }

        _sent.Writer.TryWrite((batch, answer));
    }

    /// <summary>Notes what became of the calls. As many as have ended share a statement.</summary>
    private async Task CompleteAsync(CancellationToken stop)
    {
        try
        {
            while (await _sent.Reader.WaitToReadAsync(stop))
            {
                var taken = new List<WebhookBatch>();
                while (_sent.Reader.TryRead(out var sent))
                {
                    if (sent.Answer.Error is not { } error)
                    {
                        taken.Add(sent.Batch);
                    }
                    else
                    {
                        await UntilWrittenAsync(() => PostponeAsync(sent.Batch, error, sent.Answer.RetryAfter, stop), stop);
                    }
                }

                if (taken.Count > 0)
                {
                    await UntilWrittenAsync(() => _table.DeleteAsync(taken, stop), stop);
                    foreach (var batch in taken)
                    {
                        _lanes.Done(batch.Lane, batch.LeavesMore);
                    }
                }

                _bell.Ring();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task PostponeAsync(WebhookBatch batch, string error, TimeSpan retryAfter, CancellationToken stop)
    {
        var now = _time.GetUtcNow();
        if (now - batch.QueuedAt >= _options.RetryFor)
        {
            await _table.BuryAsync(batch, error, stop);
            _metrics.Buried(_number);
            WebhookLog.Buried(_logger, batch.MessageId, batch.Events, _number, batch.Attempts + 1, error);
            _lanes.Done(batch.Lane, more: true);
            return;
        }

        if (_failing.IsDue(out var count))
        {
            WebhookLog.Failing(_logger, _number, error, count);
        }

        var next = now + PauseAfter(batch.Attempts, retryAfter);
        await _table.PostponeAsync(batch, next, error, stop);
        _lanes.Pause(batch.Lane, next, repeats: true);
    }

    /// <summary>
    /// Twice as long each time, and a random part less, so that what failed together is not repeated together. Never before the receiver asked
    /// to be called again: then a random part more.
    /// </summary>
    private TimeSpan PauseAfter(int attempts, TimeSpan retryAfter)
    {
        var longest = _options.FirstPause * Math.Pow(2, Math.Min(attempts, 30));
        var pause = (longest < _options.LongestPause ? longest : _options.LongestPause) * (0.5 + (0.5 * Random.Shared.NextDouble()));
        return pause < retryAfter ? retryAfter * (1 + (0.1 * Random.Shared.NextDouble())) : pause;
    }

    private async Task UntilWrittenAsync(Func<Task> write, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await write();
                return;
            }
            catch (Exception e) when (DatabaseFaults.Is(e))
            {
                Away(e);
            }
            await Task.Delay(ShortPause, _time, stop);
        }
    }

    private void Away(Exception e)
    {
        if (_away.IsDue(out var count))
        {
            WebhookLog.DatabaseAway(_logger, e, count);
        }
    }
}
