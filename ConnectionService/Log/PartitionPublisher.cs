using System.Threading.Channels;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Log;

/// <summary>
/// Appends the events of one partition, one script call at a time: while a call is in flight, what arrives waits and goes into the next
/// one, so batches grow with the load and an idle system adds no delay. One loop; <see cref="TryPost"/> is thread-safe.
/// </summary>
/// <remarks>
/// A call whose outcome is unknown (the connection broke, no answer in time) is repeated unchanged until the batch's deadline: the nonces
/// make the repeat harmless and keep the order.
/// </remarks>
internal sealed class PartitionPublisher
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    private readonly int _partition;
    private readonly IConnectionMultiplexer _redis;
    private readonly ConversationLogOptions _options;
    private readonly ConversationLogMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly AppendFaults _faults;
    private readonly AppendBatch _batch;

    /// <summary>The call under way, for its spans. Not locals: those of an asynchronous method are allocated with each call.</summary>
    private long _calls;
    private DateTimeOffset _calledAt;
    private int _attempts;

    /// <summary>Bounded in events; a full queue answers <c>unavailable</c>, because waiting longer than the deadline would end there anyway.</summary>
    private readonly Channel<AppendRequest> _queue;

    public PartitionPublisher(
        int partition, IConnectionMultiplexer redis, ConversationLogOptions options, ConversationLogMetrics metrics, TimeProvider time, AppendFaults faults)
    {
        _partition = partition;
        _redis = redis;
        _options = options;
        _metrics = metrics;
        _time = time;
        _faults = faults;
        _batch = new AppendBatch(partition, options);
        _queue = Channel.CreateBounded<AppendRequest>(new BoundedChannelOptions(options.QueueLength) { SingleReader = true });
    }

    /// <summary>False when the queue is full or the publisher has stopped.</summary>
    public bool TryPost(in AppendRequest request)
    {
        if (_queue.Writer.TryWrite(request))
        {
            return true;
        }

        _metrics.Refused("queue_full");
        return false;
    }

    /// <summary>Takes no more events; <see cref="RunAsync"/> ends when those waiting are done.</summary>
    public void Complete() => _queue.Writer.TryComplete();

    /// <summary>The publisher's loop. On cancellation, events still waiting are answered <see cref="AppendStatus.Unavailable"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            // Whoever was just answered may be about to send again; letting them go first makes batches larger under load, and costs an
            // idle system nothing.
            await Task.Yield();
            while (!_batch.IsFull && _queue.Reader.TryRead(out var request))
            {
                _batch.Add(request);
            }

            var results = await AppendAsync(cancellationToken);
            for (var i = 0; i < _batch.Count; i++)
            {
                var request = _batch.Requests[i];
                request.Completion.Completed(request.Event, results?[i] ?? Unavailable());
            }
            _batch.Clear();
        }
    }

    /// <summary>Null when the deadline passed without an answer from the log.</summary>
    private async Task<AppendResult[]?> AppendAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        _calledAt = _time.GetUtcNow();
        _attempts = 0;
        _calls++;
        var (keys, arguments) = _batch.ToCall(_calledAt.ToUnixTimeMilliseconds());
        string reason;
        do
        {
            if (cancellationToken.IsCancellationRequested)
            {
                reason = "stopping";
                break;
            }
            _attempts++;
            (var results, reason) = await TryOnceAsync(keys, arguments, _options.Deadline - _time.GetElapsedTime(started));
            if (results is not null)
            {
                _metrics.Appended(_batch.Count, _time.GetElapsedTime(started));
                Trace(started, failure: null);
                return results;
            }
            await Task.Delay(RetryDelay, _time, CancellationToken.None);
        }
        while (_time.GetElapsedTime(started) < _options.Deadline && reason != "memory");

        _metrics.Refused(reason, _batch.Count);
        _faults.Unavailable(_partition, _batch.Count, reason);
        Trace(started, reason);
        return null;
    }

    private void Trace(long started, string? failure)
    {
        if (!_batch.IsTraced)
        {
            return;
        }

        var call = new AppendCall(_partition, _calls, _batch.Count, _calledAt, _time.GetElapsedTime(started), _attempts, failure);
        AppendSpans.Record(_batch.Requests, call);
    }

    /// <summary>One attempt. No results: the reason, a metric tag.</summary>
    private async Task<(AppendResult[]? Results, string Reason)> TryOnceAsync(RedisKey[] keys, RedisValue[] arguments, TimeSpan patience)
    {
        // Without a connection the multiplexer would send the call later, after the client was told that nothing was accepted.
        if (!_redis.IsConnected)
        {
            return (null, "disconnected");
        }

        try
        {
            // A call that is given up at the deadline may still be carried out. Its nonces make that harmless.
            var reply = await _redis.GetDatabase().ScriptEvaluateAsync(RedisScripts.Append, keys, arguments)
                .WaitAsync(patience > RetryDelay ? patience : RetryDelay, _time);
            return (_batch.ReadReply(reply), "closed");
        }
        catch (TimeoutException)
        {
            return (null, "timeout");
        }
        catch (RedisConnectionException)
        {
            return (null, "connection");
        }
        catch (RedisServerException e) when (RedisFaults.IsFull(e))
        {
            return (null, "memory");
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is FormatException or ObjectDisposedException)
        {
            _faults.Failed(e, _partition, _batch.Count);
            return (null, "error");
        }
    }

    private AppendResult Unavailable() => AppendResult.Unavailable(_options.RetryAfterMilliseconds);
}
