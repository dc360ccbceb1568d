using System.Text;
using AspireChat.Contracts.Redis;

namespace AspireChat.Tests.Contracts;

public sealed class ChannelMessageTests
{
    [Fact]
    public void An_event_is_read_with_its_epoch_seq_and_record()
    {
        Assert.True(ChannelMessage.TryParse("E k3v9 42 {\"type\":\"room\"}"u8.ToArray(), out var message));

        Assert.Equal((ChannelMessageKind.Event, "k3v9", 42L), (message.Kind, message.First, message.Number));
        Assert.Equal("{\"type\":\"room\"}", Encoding.UTF8.GetString(message.Body.Span));
    }

    [Fact]
    public void Several_events_of_one_message_have_consecutive_seqs()
    {
        Assert.True(ChannelMessage.TryParse("E k3v9 9 {\"a\":1}\n{\"b\":\"\\n\"}\n{}"u8.ToArray(), out var message));

        Assert.Equal([(9L, "{\"a\":1}"), (10, "{\"b\":\"\\n\"}"), (11, "{}")],
            message.Records().Select(record => (record.Seq, Encoding.UTF8.GetString(record.Record.Span))));
    }

    [Theory]
    [InlineData("alice")]
    [InlineData(null)]
    public void A_frame_says_whom_it_is_not_for(string? except)
    {
        Assert.True(ChannelMessage.TryParse(ChannelMessage.ForFrame("{\"a\": 1}"u8, except), out var message));

        Assert.Equal((ChannelMessageKind.Frame, except ?? ""), (message.Kind, message.First));
        Assert.Equal("{\"a\": 1}", Encoding.UTF8.GetString(message.Body.Span));
    }

    [Fact]
    public void Durable_read_left_probe_and_kick_survive_the_channel()
    {
        Assert.True(ChannelMessage.TryParse(ChannelMessage.ForDurable("r:lobby", "k3v9", 7), out var durable));
        Assert.Equal((ChannelMessageKind.Durable, "r:lobby", "k3v9", 7L), (durable.Kind, durable.First, durable.Second, durable.Number));

        Assert.True(ChannelMessage.TryParse("R d:alice:bob bob 9"u8.ToArray(), out var read));
        Assert.Equal((ChannelMessageKind.Read, "d:alice:bob", "bob", 9L), (read.Kind, read.First, read.Second, read.Number));

        Assert.True(ChannelMessage.TryParse("L lobby 1795367890123456"u8.ToArray(), out var left));
        Assert.Equal((ChannelMessageKind.Left, "lobby", 1795367890123456), (left.Kind, left.First, left.Number));

        Assert.True(ChannelMessage.TryParse(ChannelMessage.ForProbe(12), out var probe));
        Assert.Equal((ChannelMessageKind.Probe, 12L), (probe.Kind, probe.Number));

        Assert.True(ChannelMessage.TryParse(ChannelMessage.ForKick(), out var kick));
        Assert.Equal(ChannelMessageKind.Kick, kick.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("X 1")]
    [InlineData("E k3v9")]
    [InlineData("E k3v9 x {}")]
    [InlineData("E  42 {}")]
    [InlineData("D r:lobby k3v9")]
    [InlineData("P")]
    [InlineData("F")]
    public void What_another_program_publishes_is_not_taken_for_ours(string payload) =>
        Assert.False(ChannelMessage.TryParse(Encoding.UTF8.GetBytes(payload), out _));
}
