using System.IO.Pipelines;
using AspireChat.WebSockets;
using BenchmarkDotNet.Attributes;

namespace AspireChat.Benchmarks.Micro;

/// <summary>Reading WebSocket frames of clients: header, mask and UTF-8.</summary>
public class FrameBenchmarks
{
    private const int Frames = 16;

    private readonly Pipe _pipe = new(new PipeOptions(useSynchronizationContext: false));
    private readonly byte[] _frame = Samples.Masked(Samples.ClientFrame);
    private FrameReader _reader = null!;

    [GlobalSetup]
    public void Setup() => _reader = new FrameReader(_pipe.Reader, 32 * 1024, 256 * 1024);

    [Benchmark(OperationsPerInvoke = Frames)]
    public async Task Read_frame_of_300_bytes()
    {
        for (var i = 0; i < Frames; i++)
        {
            await _pipe.Writer.WriteAsync(_frame);
        }

        for (var i = 0; i < Frames; i++)
        {
            await _reader.ReadAsync();
        }
    }
}
