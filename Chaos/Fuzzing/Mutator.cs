namespace AspireChat.Chaos.Fuzzing;

/// <summary>
/// Makes wrong inputs out of right ones: bits turned, bytes and pieces taken out, put in, repeated and exchanged between two inputs, numbers at
/// the edges of their range, and words that mean something to the reader. All of it follows from the seed. Not thread-safe.
/// </summary>
/// <param name="corpus">Right inputs, at least one.</param>
/// <param name="words">Pieces that are put in whole.</param>
internal sealed class Mutator(int seed, IReadOnlyList<byte[]> corpus, IReadOnlyList<byte[]> words)
{
    private const int MostChanges = 8;
    private const int MostRepeats = 64;
    private const int Longest = 256 * 1024;

    private static readonly byte[][] Edges =
    [
        [0x00], [0x7F], [0x80], [0xFF], [0x00, 0x00], [0x7F, 0xFF], [0x80, 0x00], [0xFF, 0xFF], [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01],
        [0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        [0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
    ];

    /// <summary>For choices of the caller's own, so that they follow from the seed too.</summary>
    public Random Random { get; } = new(seed);

    /// <summary>The next input. One in sixteen is a right one, to see that those still pass.</summary>
    public byte[] Next()
    {
        var input = new List<byte>(Pick(corpus));
        if (Random.Next(16) == 0)
        {
            return [.. input];
        }

        for (var changes = Random.Next(1, MostChanges + 1); changes > 0; changes--)
        {
            Change(input);
        }

        return [.. input];
    }

    private void Change(List<byte> input)
    {
        var at = Random.Next(input.Count + 1);
        var length = Math.Min(input.Count - at, 1 + (int)(Random.NextDouble() * Random.NextDouble() * 64));
        switch (Random.Next(9))
        {
            case 0 when at < input.Count:
                input[at] ^= (byte)(1 << Random.Next(8));
                break;
            case 1 when at < input.Count:
                input[at] = (byte)Random.Next(256);
                break;
            case 2:
                input.RemoveRange(at, length);
                break;
            case 3:
                input.InsertRange(at, Pick(Edges));
                break;
            case 4 when words.Count > 0:
                input.InsertRange(at, Pick(words));
                break;
            case 5 when at < input.Count:
                Overwrite(input, at, Pick(Random.Next(2) == 0 || words.Count == 0 ? Edges : words));
                break;
            case 6:
                Repeat(input, at, length);
                break;
            case 7:
                var other = Pick(corpus);
                var from = Random.Next(other.Length + 1);
                input.InsertRange(at, other[from..Random.Next(from, other.Length + 1)]);
                break;
            default:
                input.RemoveRange(at, input.Count - at);
                input.AddRange(Pick(corpus));
                break;
        }
        if (input.Count > Longest)
        {
            input.RemoveRange(Longest, input.Count - Longest);
        }
    }

    private void Repeat(List<byte> input, int at, int length)
    {
        var piece = input.GetRange(at, length);
        for (var times = Random.Next(1, MostRepeats); times > 0; times--)
        {
            input.InsertRange(at, piece);
        }
    }

    private static void Overwrite(List<byte> input, int at, byte[] piece)
    {
        for (var i = 0; i < piece.Length && at + i < input.Count; i++)
        {
            input[at + i] = piece[i];
        }
    }

    private byte[] Pick(IReadOnlyList<byte[]> from) => from[Random.Next(from.Count)];
}
