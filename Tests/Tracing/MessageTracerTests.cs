using System.Diagnostics;
using System.Text;
using AspireChat.ConnectionService.Hubs.Feeds;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.ConnectionService.Tracing;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.Tests.Hubs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Tracing;

[Collection(TracingCollection.Name)]
public sealed class MessageTracerTests
{
    private const int Messages = 1_000;

    private static readonly ConversationEvent Message = new()
    {
        Kind = EventKind.Room, Conversation = ConversationKey.Room("lobby"), Id = Guid.CreateVersion7(), From = "alice", Nonce = "n1",
        Content = "hello", Timestamp = 1_767_225_600_000,
    };

    [Fact]
    public void A_message_that_is_not_traced_allocates_nothing_for_tracing()
    {
        using var listener = Listen();
        var none = Tracer(new() { SampleRatio = 0 });
        var exhausted = Tracer(new() { SampleRatio = 1, MessagesPerSecond = 1 });
        Assert.IsType<TracedEvent>(exhausted.Begin(Message));
        var encoded = new EncodedEvent(Message);

        void Pass()
        {
            none.Begin(Message);
            var e = exhausted.Begin(Message);
            using var span = FanOutSpan.Start(encoded);
            span.Delivered(encoded, "room", 1, 1);
            AppendSpans.End(e, AppendResult.Unavailable(1));
        }

        Pass();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Messages; i++)
        {
            Pass();
        }
        // The limit is one byte each, because the runtime may compile in between.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Messages - 1);
    }

    [Fact]
    public void A_message_that_is_not_traced_is_written_as_without_tracing()
    {
        var plain = Tracer(new() { SampleRatio = 0 }).Begin(Message);

        Assert.Same(Message, plain);
        Assert.DoesNotContain("trace", Encoding.UTF8.GetString(LogRecordCodec.Encode(plain)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_trace_travels_with_the_record_and_stays_out_of_frames()
    {
        using var listener = Listen();
        var sent = Assert.IsType<TracedEvent>(Tracer(new() { SampleRatio = 1 }).Begin(Message));

        var record = LogRecordCodec.Encode(sent);
        var read = Assert.IsType<TracedEvent>(LogRecordCodec.Decode(record, 7, "e1"));

        Assert.Equal((sent.Trace.TraceId, sent.Trace.SpanId), (read.Trace.TraceId, read.Trace.SpanId));
        Assert.True(read.Trace.IsRemote);
        // Clients get the same bytes whether the message is traced or not.
        var untraced = Message with { Seq = 7, Epoch = "e1" };
        Assert.Equal(EventFrames.Encode(untraced, withNonce: true), EventFrames.Encode(read, withNonce: true));
        AppendSpans.End(sent, AppendResult.Unavailable(1));
    }

    [Theory]
    [InlineData("17")]
    [InlineData("{\"a\":[1]}")]
    [InlineData("null")]
    [InlineData("\"no context\"")]
    [InlineData("\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\"")]
    public void An_event_with_an_invalid_trace_is_handled_as_any_other(string trace)
    {
        var record = Encoding.UTF8.GetString(LogRecordCodec.Encode(Message));
        record = record.Replace("\"nonce\"", $"\"trace\":{trace},\"nonce\"", StringComparison.Ordinal);

        var read = LogRecordCodec.Decode(Encoding.UTF8.GetBytes(record), 0, "");

        Assert.Equal(Message, read);
    }

    [Fact]
    public void No_more_messages_are_traced_than_the_setting_allows()
    {
        using var listener = Listen();
        var time = new FakeTimeProvider();
        var tracer = Tracer(new() { SampleRatio = 1, MessagesPerSecond = 3 }, time);

        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => tracer.Begin(Message) is TracedEvent));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => tracer.Begin(Message) is TracedEvent));
    }

    [Fact]
    public void A_trace_does_not_continue_into_the_connections_next_work()
    {
        using var listener = Listen();
        Tracer(new() { SampleRatio = 1 }).Begin(Message);

        Assert.Null(Activity.Current);
    }

    [Fact]
    public void A_node_delivers_a_traced_event_to_its_members_in_one_span()
    {
        var spans = new List<Activity>();
        using var listener = Listen(spans.Add);
        var hub = new HubHarness();
        var (_, outbound) = hub.Join("alice", "lobby");
        hub.Join("bob", "lobby");
        HubHarness.Read(outbound);
        var trace = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        var record = Encoding.UTF8.GetString(LogRecordCodec.Encode(new TracedEvent(Message, trace)));

        hub.Publish(ChatChannel.Room("lobby"), $"E {hub.Log.ReadHead(Message.Conversation).Epoch} 1 {record}");

        var span = Assert.Single(spans, span => span.TraceId == trace.TraceId);
        Assert.Equal(("fan-out", trace.SpanId), (span.OperationName, span.ParentSpanId));
        Assert.Equal(2, span.GetTagItem("aspirechat.fan_out.recipients"));
        Assert.False(Assert.Single(HubHarness.Read(outbound)).TryGetProperty("trace", out _));
    }

    [Theory]
    [InlineData("Tracing:SampleRatio", "1.5")]
    [InlineData("Tracing:SampleRatio", "-0.1")]
    [InlineData("Tracing:MessagesPerSecond", "0")]
    [InlineData("Tracing:MessagesPerSecond", "10001")]
    public async Task A_setting_out_of_range_stops_the_start_and_is_named(string key, string value)
    {
        using var host = Host("Production", new() { [key] = value });

        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Development", null, 1)]
    [InlineData("Production", null, 0)]
    [InlineData("Development", "0.5", 0.5)]
    [InlineData("Production", "0.5", 0.5)]
    public void All_messages_are_traced_in_Development_and_none_elsewhere_unless_set(string environment, string? setting, double ratio)
    {
        using var host = Host(environment, setting is null ? [] : new() { ["Tracing:SampleRatio"] = setting });

        Assert.Equal(ratio, host.Services.GetRequiredService<IOptions<MessageTracingOptions>>().Value.SampleRatio);
    }

    private static IHost Host(string environment, Dictionary<string, string?> settings)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new() { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddMessageTracing();
        return builder.Build();
    }

    private static MessageTracer Tracer(MessageTracingOptions options, TimeProvider? time = null) =>
        new(Options.Create(options), time ?? new FakeTimeProvider());

    private static ActivityListener Listen(Action<Activity>? stopped = null)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source == MessageTracer.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = stopped,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
