namespace AspireChat.Chaos.Fuzzing;

/// <summary>Something that reads what strangers send, and what must hold whatever they send.</summary>
internal abstract class FuzzTarget
{
    public abstract string Name { get; }

    public abstract IReadOnlyList<byte[]> Corpus { get; }

    public virtual IReadOnlyList<byte[]> Words => [];

    /// <summary>Reads one input.</summary>
    /// <param name="random">For choices that are not the input's, such as where it is cut into pieces.</param>
    /// <exception cref="FuzzException">A promise does not hold. Any other exception is a fault as well.</exception>
    public abstract Task TryAsync(byte[] input, Random random, CancellationToken cancellationToken);

    /// <summary>Tries so many inputs, all of them made from one seed.</summary>
    /// <exception cref="FuzzException">With the input that fails and how to play it again.</exception>
    public async Task RunAsync(int seed, int inputs, CancellationToken cancellationToken)
    {
        var mutator = new Mutator(seed, Corpus, Words);
        for (var i = 0; i < inputs; i++)
        {
            var input = mutator.Next();
            try
            {
                await TryAsync(input, mutator.Random, cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                var hex = Convert.ToHexString(input.AsSpan(0, Math.Min(input.Length, 2_000)));
                throw new FuzzException($"{Name}, seed {seed}, input {i} of {input.Length} bytes: {e.Message}\n{hex}\n{e}", e);
            }
        }
    }

    protected static void Must(bool holds, string promise)
    {
        if (!holds)
        {
            throw new FuzzException(promise);
        }
    }
}

/// <summary>Something that was promised does not hold for an input.</summary>
internal sealed class FuzzException(string message, Exception? inner = null) : Exception(message, inner);
