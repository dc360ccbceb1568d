using AspireChat.PersistenceService.Background;
using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Retention;

/// <summary>
/// Deletes events that are older than they are kept: first in PostgreSQL, then in the tail, then in the nodes' memory. Seqs are never given
/// out again. One replica sweeps at a time; a sweep that is cut short goes on with the next.
/// </summary>
internal sealed partial class RetentionSweep(
    OldEvents events,
    IConnectionMultiplexer redis,
    MigrationService migrations,
    IOptions<RetentionOptions> options,
    TimeProvider time,
    ILogger<RetentionSweep> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await migrations.Done.WaitAsync(stoppingToken);
        await new RecurringLook(options.Value.Interval, time, (fault, count) => Interrupted(logger, fault, count)).RunAsync(
            async token =>
            {
                await SweepAsync(token);
                return false;
            },
            stoppingToken);
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        await using var right = await events.TryBeginAsync(cancellationToken);
        if (right is null)
        {
            return;
        }

        var conversations = 0;
        var pace = new BackgroundPace(time);
        for (var after = ""; after is not null;)
        {
            var (found, last) = await events.FindAsync(after, time.GetUtcNow().UtcDateTime, options.Value.Days, cancellationToken);
            foreach (var old in found)
            {
                await DeleteAsync(old, pace, cancellationToken);
            }

            conversations += found.Count;
            after = last;
        }
        if (conversations > 0)
        {
            Swept(logger, conversations);
        }
    }

    private async Task DeleteAsync(OldConversation old, BackgroundPace pace, CancellationToken cancellationToken)
    {
        var (gone, more) = (0L, true);
        while (more)
        {
            (var last, more) = await events.DeleteAsync(old, cancellationToken);
            gone = Math.Max(gone, last);
            await pace.RestAsync(cancellationToken);
        }
        if (gone == 0)
        {
            return;
        }

        // All of it was committed, so the tail need not keep it.
        await redis.GetDatabase().ExecuteAsync("XTRIM", (RedisKey)RedisKeys.Tail(old.Conversation), "MINID", gone + 1);
        await ContentGone.TellAsync(redis, old.Conversation);
    }

    [LoggerMessage(LogEvents.Persistence + 70, LogLevel.Information, "Events of {Count} conversations were older than they are kept, and are gone.")]
    private static partial void Swept(ILogger logger, int count);

    [LoggerMessage(LogEvents.Persistence + 71, LogLevel.Warning,
        "Old events cannot be deleted ({Count} failures since the last such line). It is tried again.")]
    private static partial void Interrupted(ILogger logger, Exception fault, long count);
}

internal static class RetentionExtensions
{
    public static IHostApplicationBuilder AddRetention(this IHostApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<RetentionOptions>(RetentionOptions.Section);
        builder.Services.AddSingleton<OldEvents>();
        builder.Services.AddHostedService<RetentionSweep>();
        return builder;
    }
}
