using Microsoft.Extensions.Options;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>
/// Lets only so many partitions write at once (<see cref="PersistenceOptions.Writers"/>), in the order in which they came. Thread-safe.
/// </summary>
internal sealed class WriterGate(IOptions<PersistenceOptions> options)
{
    private readonly SemaphoreSlim _free = new(options.Value.Writers);

    /// <summary>Waits for a turn; disposing the answer ends it.</summary>
    public async Task<Turn> EnterAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        return new Turn(_free);
    }

    internal readonly struct Turn(SemaphoreSlim free) : IDisposable
    {
        public void Dispose() => free.Release();
    }
}
