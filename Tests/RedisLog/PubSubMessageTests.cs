using System.Text;
using AspireChat.RedisLog;

namespace AspireChat.Tests.RedisLog;

/// <summary>The bytes of the pub/sub messages. While a release rolls out, nodes of two versions read each other's messages.</summary>
public sealed class PubSubMessageTests
{
    public static TheoryData<string, PubSubMessage> Golden { get; } = new()
    {
        { "L lobby 1795367890123456", new PubSubMessage.Left("lobby", 1795367890123456) },
        { "D r:lobby k3v9 7", new PubSubMessage.Durable("r:lobby", "k3v9", 7) },
        { "R d:alice:bob bob 9", new PubSubMessage.Read("d:alice:bob", "bob", 9) },
        { "K", new PubSubMessage.Kick() },
        { "Z r:lobby", new PubSubMessage.Erased("r:lobby") },
        { "L lobby 1795367890123456 banned", new PubSubMessage.Left("lobby", 1795367890123456, "banned") },
        { "X 1795367890123456", new PubSubMessage.Deleted(1795367890123456) },
        { "P 12", new PubSubMessage.Probe(12) },
        { "R d:a/urn:x urn:x 9", new PubSubMessage.Read("d:a/urn:x", "urn:x", 9) },
        { "U {\"name\":\"Alice A\"}", new PubSubMessage.Profile("{\"name\":\"Alice A\"}") },
        { "U ", new PubSubMessage.Profile("") },
    };

    [Theory]
    [MemberData(nameof(Golden))]
    public void Each_kind_has_one_form(string bytes, PubSubMessage message)
    {
        Assert.Equal(bytes, Encoding.ASCII.GetString(message.Encode()));

        Assert.True(PubSubMessage.TryRead(Encoding.ASCII.GetBytes(bytes), out var read));
        Assert.Equal(message, read);
    }

    [Theory]
    [InlineData("F alice {\"a\": 1}", "alice")]
    [InlineData("F : {\"a\": 1}", ":")]
    [InlineData("F * {\"a\": 1}", "")]
    public void A_frame_names_the_user_whom_it_is_not_for(string bytes, string except)
    {
        Assert.True(PubSubMessage.TryRead(Encoding.UTF8.GetBytes(bytes), out var message));

        var frame = Assert.IsType<PubSubMessage.Frame>(message);
        Assert.Equal(("{\"a\": 1}", except), (Encoding.UTF8.GetString(frame.Json.Span), frame.Except));
        Assert.Equal(bytes, Encoding.UTF8.GetString(frame.Encode()));
    }

    [Theory]
    [InlineData("E k3v9 42 {\"type\":\"room\"}", "42 {\"type\":\"room\"}")]
    [InlineData("E k3v9 9 {\"a\":1}\n{\"b\":\"\\n\"}\n{}", "9 {\"a\":1}|10 {\"b\":\"\\n\"}|11 {}")]
    public void The_events_of_one_message_have_consecutive_seqs(string bytes, string records)
    {
        Assert.True(PubSubMessage.TryRead(Encoding.UTF8.GetBytes(bytes), out var message));

        var batch = Assert.IsType<PubSubMessage.Events>(message).Batch;
        Assert.Equal("k3v9", batch.Epoch);
        Assert.Equal(
            records, string.Join('|', batch.Split().Select(record => $"{record.Seq} {Encoding.UTF8.GetString(record.Record.Span)}")));
        Assert.Equal(bytes, Encoding.UTF8.GetString(message.Encode()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Y 1")]
    [InlineData("X")]
    [InlineData("E k3v9")]
    [InlineData("E k3v9 x {}")]
    [InlineData("E  42 {}")]
    [InlineData("D r:lobby k3v9")]
    [InlineData("P")]
    [InlineData("F")]
    public void A_publication_of_another_program_is_not_taken_for_a_message(string payload) =>
        Assert.False(PubSubMessage.TryRead(Encoding.UTF8.GetBytes(payload), out _));
}
