using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Writing;

namespace AspireChat.PersistenceService.Rooms;

/// <summary>
/// Takes the content of deleted rooms out of PostgreSQL, a part at a time, however long their logs were. Nobody reads it any more from the
/// moment of the deletion on. Replicas share the work.
/// </summary>
internal sealed class RoomWiper(RoomTable table, MigrationService migrations, TimeProvider time) : BackgroundService
{
    /// <summary>A few milliseconds of PostgreSQL.</summary>
    private const int Events = 1_000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await migrations.Done.WaitAsync(stoppingToken);
        try
        {
            while (true)
            {
                if (!await TryWipeAsync(stoppingToken))
                {
                    await Task.Delay(Pause, time, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private async Task<bool> TryWipeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await table.WipeAsync(Events, cancellationToken);
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            return false;
        }
    }
}
