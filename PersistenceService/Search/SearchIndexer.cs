using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Writing;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AspireChat.PersistenceService.Search;

/// <summary>
/// Indexes what this replica commits, a moment later and behind the writers' backs. At the start, and when more was committed than could be
/// remembered, it looks for what the index lacks: after a crash, an outage, or the migration that brought the index.
/// </summary>
internal sealed partial class SearchIndexer(
    SearchIndex index,
    UnindexedConversations unindexed,
    MigrationService migrations,
    SearchMetrics metrics,
    IOptions<SearchOptions> options,
    TimeProvider time,
    ILogger<SearchIndexer> logger) : BackgroundService
{
    private const int ConversationsPerStep = 100, ConversationsPerLook = 1_000;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly RecurringFault _outage = new(time);

    /// <summary>Where the look for what the index lacks goes on; null: it is over.</summary>
    private string? _behind = "";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await migrations.Done.WaitAsync(stoppingToken);
            while (true)
            {
                if (!await TryStepAsync(stoppingToken))
                {
                    await unindexed.Wake.ReadAsync(stoppingToken);
                    await Task.Delay(options.Value.Linger, time, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends; the marks say where the next one goes on.
        }
    }

    /// <summary>False: there is nothing to do.</summary>
    private async Task<bool> TryStepAsync(CancellationToken cancellationToken)
    {
        var conversations = unindexed.Take(ConversationsPerStep, out var overflowed);
        _behind = overflowed ? "" : _behind;
        try
        {
            if (conversations.Length == 0)
            {
                return _behind is not null && await LookAsync(_behind, cancellationToken);
            }

            var (started, committed) = (time.GetTimestamp(), unindexed.Events);
            var (events, unfinished) = await index.StepAsync(conversations, cancellationToken);
            metrics.Indexed(events);
            if (unfinished.Count > 0)
            {
                unindexed.Add(unfinished);
            }

            await RestAsync(started, committed, events == 0 && unfinished.Count > 0, cancellationToken);
        }
        catch (NpgsqlException e)
        {
            unindexed.Add(conversations);
            if (_outage.IsDue(out var count))
            {
                Failed(logger, e, count);
            }

            await Task.Delay(RetryDelay, time, cancellationToken);
        }
        return true;
    }

    private async Task<bool> LookAsync(string after, CancellationToken cancellationToken)
    {
        var found = await index.ReadBehindAsync(after, ConversationsPerLook, cancellationToken);
        _behind = found.Count == ConversationsPerLook ? found[^1] : null;
        unindexed.Add(found);
        return found.Count > 0;
    }

    /// <summary>While much is being committed, indexing takes only its share of the time.</summary>
    private async Task RestAsync(long started, long committed, bool blocked, CancellationToken cancellationToken)
    {
        var took = time.GetElapsedTime(started);
        var share = options.Value.BusyShare;
        var isBusy = unindexed.Events - committed > took.TotalSeconds * options.Value.BusyAbove;
        var rest = blocked ? options.Value.Linger : isBusy ? took * ((1 - share) / share) : TimeSpan.Zero;
        if (rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, time, cancellationToken);
        }
    }

    [LoggerMessage(LogEvents.Persistence + 50, LogLevel.Warning,
        "The index of words cannot be brought up to date; trying again ({Count} failures since the last such line)")]
    private static partial void Failed(ILogger logger, Exception exception, long count);
}
