using AspireChat.Client;
using AspireChat.Client.Delivery;
using AspireChat.Client.Sending;

namespace AspireChat.Tests.Client;

public sealed class ReplayTests
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(4);

    private readonly Host _host = new();
    private readonly Replay _replay;

    public ReplayTests() => _replay = new Replay(_host, LongestPause);

    [Fact]
    public void A_replay_stalls_when_it_pauses_for_too_long_and_asks_to_be_woken_then()
    {
        _host.Now = TimeSpan.FromSeconds(10);
        _replay.Begin();
        Assert.Equal(TimeSpan.FromSeconds(14), _host.WokenAt);
        _host.Now = TimeSpan.FromSeconds(13);
        Assert.False(_replay.HasStalled);

        _host.Now = TimeSpan.FromSeconds(14);
        Assert.True(_replay.HasStalled);
    }

    [Fact]
    public void Each_event_gives_the_replay_its_full_time_again()
    {
        _replay.Begin();
        _host.Now = TimeSpan.FromSeconds(3);
        _replay.Heard();
        _host.Now = TimeSpan.FromSeconds(6);
        Assert.False(_replay.HasStalled);

        _host.Now = TimeSpan.FromSeconds(7);
        Assert.True(_replay.HasStalled);
    }

    [Fact]
    public void A_replay_that_has_ended_or_never_began_does_not_stall()
    {
        _host.Now = TimeSpan.FromHours(1);
        Assert.False(_replay.HasStalled);
        _replay.Begin();
        _replay.End();
        _host.Now = TimeSpan.FromHours(2);

        Assert.False(_replay.HasStalled);
        Assert.False(_replay.IsUnderWay);
    }

    private sealed class Host : IOutboxHost
    {
        public TimeSpan Now { get; set; }

        public TimeSpan? WokenAt { get; private set; }

        public bool IsReady(Conversation conversation) => throw new NotSupportedException();

        public bool Send(byte[] frame) => throw new NotSupportedException();

        public bool IsGiven(Conversation conversation, long seq) => false;

        public void WakeAt(TimeSpan time) => WokenAt = time;
    }
}
