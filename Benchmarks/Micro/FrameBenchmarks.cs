using AspireChat.WebSockets;
using BenchmarkDotNet.Attributes;

namespace AspireChat.Benchmarks.Micro;

/// <summary>Reading WebSocket frames of clients: header, mask and UTF-8.</summary>
public class FrameBenchmarks
{
    private const int Frames = 16;

    private readonly byte[] _frames = [.. Enumerable.Repeat(Samples.Masked(Samples.ClientFrame), Frames).SelectMany(frame => frame)];
    private readonly FrameReader _reader = new(32 * 1024, 256 * 1024);

    [Benchmark(OperationsPerInvoke = Frames)]
    public int Read_frame_of_300_bytes()
    {
        ReadOnlySpan<byte> bytes = _frames;
        var read = 0;
        while (_reader.Read(ref bytes) is not null)
        {
            read++;
        }

        return read;
    }
}
