using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.WebSockets;
using BenchmarkDotNet.Attributes;

namespace AspireChat.Benchmarks.Micro;

/// <summary>Reading and writing JSON, once per event.</summary>
public class CodecBenchmarks
{
    private static readonly byte[] JoinFrame = """{"type":"join","room":"lobby","since":17,"ref":"r-17"}"""u8.ToArray();
    private static readonly byte[] TypingFrame = """{"type":"typing","room":"lobby","active":true}"""u8.ToArray();
    private static readonly byte[] Record = LogRecordCodec.Encode(Samples.Event);
    private static readonly FrameLimits Limits = new();

    [Benchmark]
    public bool Read_client_frame() => ClientFrameReader.TryRead(Samples.ClientFrame, Limits, out _, out _);

    [Benchmark]
    public bool Read_join_frame() => ClientFrameReader.TryRead(JoinFrame, Limits, out _, out _);

    [Benchmark]
    public bool Read_typing_frame() => ClientFrameReader.TryRead(TypingFrame, Limits, out _, out _);

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
