namespace AspireChat.PersistenceService.Background;

/// <summary>
/// Makes long work rest after each step, for a multiple of the time that the step took, so that the chat has the servers to itself
/// meanwhile. For one caller at a time.
/// </summary>
internal sealed class BackgroundPace(TimeProvider time)
{
    /// <summary>A fifth of the time is work.</summary>
    private const int RestPerWork = 4;

    /// <summary>A server that is slow is no reason to stop for long.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(1);

    private long _began = time.GetTimestamp();

    /// <summary>A step is done. Completes when the next one may begin.</summary>
    public async Task RestAsync(CancellationToken cancellationToken)
    {
        var rest = RestPerWork * time.GetElapsedTime(_began);
        await Task.Delay(rest < LongestRest ? rest : LongestRest, time, cancellationToken);
        _began = time.GetTimestamp();
    }
}
