using System.Text;
using AspireChat.ConnectionService.Sockets;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using BenchmarkDotNet.Attributes;

namespace AspireChat.Benchmarks.Micro;

/// <summary>JSON in and out, once per event.</summary>
public class CodecBenchmarks
{
    private static readonly byte[] ClientFrame = Encoding.UTF8.GetBytes(Samples.ClientFrame);
    private static readonly byte[] Record = LogRecordCodec.Encode(Samples.Event);
    private static readonly FrameLimits Limits = new();

    [Benchmark]
    public bool Read_client_frame() => ClientFrameReader.TryRead(ClientFrame, Limits, out _, out _);

    [Benchmark]
    public int Encode_log_record() => LogRecordCodec.Encode(Samples.Event).Length;

    [Benchmark]
    public bool Decode_log_record() => LogRecordCodec.Decode(Record, 1_234, "e1") is not null;

    [Benchmark]
    public int Encode_event_with_its_frame_header() => OutboundFrame.Of(Samples.Event, withNonce: false).Length;

    [Benchmark]
    public int Encode_ack() => OutboundFrame.Of(
        new AckFrame(Samples.Event.Nonce, Samples.Event.Id, 1_234, "e1", "2026-01-01T00:00:00.000Z", Samples.Room, null, null)).Length;
}
