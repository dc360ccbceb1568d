using AspireChat.PersistenceService.Background;
using AspireChat.PersistenceService.Migrations;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Erasure;

/// <summary>
/// Carries out the erasures, one at a time, conversation by conversation. Each step may be done twice, so a replica that dies leaves
/// nothing half done: another one goes on at the last conversation that was finished.
/// </summary>
internal sealed partial class ErasureWorker(
    Erasures erasures,
    AuthoredContent content,
    TailContent tails,
    CommittedLog log,
    UserOrders orders,
    MigrationService migrations,
    TimeProvider time,
    ILogger<ErasureWorker> logger) : BackgroundService
{
    private const int ConversationsPerRead = 100;

    /// <summary>An order that its replica has not touched for so long is taken over.</summary>
    private static readonly TimeSpan Untouched = TimeSpan.FromSeconds(30);

    /// <summary>How often orders of other replicas are looked for.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);

    private readonly Doorbell _bell = new(time);

    /// <summary>An order was given here: it is looked for at once.</summary>
    public void Ring() => _bell.Ring();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await migrations.Done.WaitAsync(stoppingToken);
        // After an outage the order is there still, and is taken again.
        await new RecurringLook(Interval, time, (fault, count) => Interrupted(logger, fault, count), _bell).RunAsync(
            async token =>
            {
                if (await erasures.TakeAsync(Untouched, token) is not { } erasure)
                {
                    return false;
                }

                await EraseAsync(erasure, token);
                return true;
            },
            stoppingToken);
    }

    private async Task EraseAsync(Erasure erasure, CancellationToken cancellationToken)
    {
        var (id, user, _, place, erased) = erasure;
        Began(logger, id, user, place);
        // Nothing comes after it from a token of before.
        await orders.RevokeAsync(user, cancellationToken);
        await tails.LeaveRoomsAsync(user, cancellationToken);
        await tails.DiscardLettersAsync(user);
        // What was written before the order is in PostgreSQL then, and a conversation that began a moment ago is among those found.
        await log.CatchUpAsync(cancellationToken);
        var pace = new BackgroundPace(time);
        while (await content.ReadConversationsAsync(user, place, ConversationsPerRead, cancellationToken) is { Count: > 0 } conversations)
        {
            foreach (var conversation in conversations)
            {
                await foreach (var rows in content.EraseAsync(conversation, user, cancellationToken))
                {
                    erased += rows;
                    await erasures.NoteAsync(id, ErasureStatus.Running, place, erased, cancellationToken);
                    await pace.RestAsync(cancellationToken);
                }

                await tails.EraseAsync(conversation, user, cancellationToken);
                place = conversation.Value;
                await erasures.NoteAsync(id, ErasureStatus.Running, place, erased, cancellationToken);
                await pace.RestAsync(cancellationToken);
            }
        }

        await content.ForgetUserAsync(user, cancellationToken);
        await tails.ForgetProfileAsync(user);
        await erasures.NoteAsync(id, ErasureStatus.Done, place, erased, cancellationToken);
        Ended(logger, id, user, erased);
    }

    [LoggerMessage(LogEvents.Persistence + 80, LogLevel.Information, "Erasure {Id} of user {User} begins behind conversation '{Place}'.")]
    private static partial void Began(ILogger logger, Guid id, string user, string place);

    [LoggerMessage(LogEvents.Persistence + 81, LogLevel.Information,
        "Erasure {Id} of user {User} is done: {Count} messages and edits have lost their content.")]
    private static partial void Ended(ILogger logger, Guid id, string user, long count);

    [LoggerMessage(LogEvents.Persistence + 82, LogLevel.Warning,
        "An erasure cannot go on ({Count} failures since the last such line). It is tried again.")]
    private static partial void Interrupted(ILogger logger, Exception fault, long count);
}
