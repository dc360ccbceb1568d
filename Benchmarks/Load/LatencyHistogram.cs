using System.Numerics;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// Times in microseconds, counted in buckets of about 3 % width. Recording costs nanoseconds and no memory. Not thread-safe: its thread
/// owns it.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 5;

    private readonly long[] _counts = new long[64 << SubBits];

    public long Count { get; private set; }

    public void Record(long microseconds)
    {
        _counts[BucketOf(Math.Max(0, microseconds))]++;
        Count++;
    }

    public void Clear()
    {
        Array.Clear(_counts);
        Count = 0;
    }

    /// <summary>
    /// The time in milliseconds that a share of <paramref name="quantile"/> of all times does not exceed; NaN when there are none.
    /// </summary>
    public double Milliseconds(double quantile)
    {
        if (Count == 0)
        {
            return double.NaN;
        }

        var rank = (long)Math.Ceiling(quantile * Count);
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            rank -= _counts[bucket];
            if (rank <= 0)
            {
                return UpperEdge(bucket) / 1000.0;
            }
        }
        return double.NaN;
    }

    private static int BucketOf(long value)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)value | 1) - SubBits);
        return (shift << SubBits) + (int)(value >> shift);
    }

    private static long UpperEdge(int bucket)
    {
        if (bucket < 2 << SubBits)
        {
            return bucket;
        }

        var shift = (bucket >> SubBits) - 1;
        return ((long)(bucket - (shift << SubBits)) + 1) << shift;
    }
}
