using StackExchange.Redis;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>
/// Sends commands ahead of their answers, a few thousand at most, so that neither side's buffers grow with the database.
/// </summary>
internal sealed class Pipeline(IDatabase database)
{
    private const int Depth = 4_000;

    private readonly List<Task> _inFlight = new(Depth);

    public long Count { get; private set; }

    public async ValueTask AddAsync(Func<IDatabase, Task> command)
    {
        _inFlight.Add(command(database));
        Count++;
        if (_inFlight.Count >= Depth)
        {
            await FinishAsync();
        }
    }

    /// <summary>Waits for all answers; throws if one is an error.</summary>
    public async Task FinishAsync()
    {
        await Task.WhenAll(_inFlight);
        _inFlight.Clear();
    }
}
