using System.Text;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Outbound;
using AspireChat.WebSockets;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Connections;

public sealed class OutboundQueueTests
{
    private readonly GatedWebSocket _socket = new();
    private readonly FakeTimeProvider _time = new();
    private readonly OutboundQueue _outbound;

    public OutboundQueueTests()
    {
        // Below what the options allow, so that a test can fill it by hand.
        var options = new SocketOptions { OutboundBytes = 1_000, CloseTimeout = TimeSpan.FromSeconds(5) };
        _outbound = TestOutbound.Create(options, _time).Queues.Create(new FrameworkWriter(_socket), _socket.Abort, "c");
    }

    [Fact]
    public async Task Frames_are_sent_in_order_and_a_close_comes_last()
    {
        for (var i = 0; i < 10; i++)
        {
            Assert.True(_outbound.Send(Frame($"f{i}")));
        }

        _outbound.Close(1012, "restart");
        Assert.False(_outbound.Send(Frame("late")));
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal($"f{i}", await _socket.Read());
        }

        Assert.Equal("close", await _socket.Read());
        Assert.Equal(1012, _socket.SentCloseCode);
        await _outbound.Closed.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Ephemeral_frames_give_way_to_others()
    {
        Assert.True(_outbound.Send(Frame("first", 100)));
        await WaitUntilSending();
        Assert.True(_outbound.SendEphemeral(Frame("typing", 300)));
        Assert.False(_outbound.SendEphemeral(Frame("typing", 300)), "more than half of the queue went to what may be skipped");
        Assert.True(_outbound.Send(Frame("second", 700)));
        Assert.StartsWith("first", await _socket.Read());
        Assert.StartsWith("second", await _socket.Read());
        Assert.Equal(0, _outbound.CloseCode);
    }

    [Fact]
    public async Task A_full_queue_closes_with_4008_and_sends_nothing_more_of_it()
    {
        Assert.True(_outbound.Send(Frame("on the wire", 100)));
        await WaitUntilSending();
        Assert.True(_outbound.Send(Frame("queued", 800)));
        Assert.False(_outbound.Send(Frame("too much", 200)));
        Assert.Equal(4008, _outbound.CloseCode);
        Assert.StartsWith("on the wire", await _socket.Read());
        Assert.Equal("close", await _socket.Read());
        Assert.Equal(4008, _socket.SentCloseCode);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_cut_after_the_close_timeout()
    {
        Assert.True(_outbound.Send(Frame("on the wire", 900)));
        await WaitUntilSending();
        Assert.False(_outbound.Send(Frame("too much", 200)));
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(_socket.Aborted.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        await _socket.Aborted.WaitAsync(TimeSpan.FromSeconds(60));
        await _outbound.Closed.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_replay_waits_for_room_and_is_woken_when_the_queue_is_nearly_empty()
    {
        Assert.False(_outbound.TryWaitForSpace(() => Assert.Fail("there was space")));
        var woken = new TaskCompletionSource();
        Assert.True(_outbound.Send(Frame("a", 200)));
        Assert.True(_outbound.Send(Frame("b", 200)));
        Assert.True(_outbound.TryWaitForSpace(woken.SetResult));
        await _socket.Read();
        Assert.False(woken.Task.IsCompleted);
        await _socket.Read();
        await woken.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.False(_outbound.TryWaitForSpace(() => Assert.Fail("there was space")));
    }

    [Fact]
    public async Task Many_senders_lose_nothing()
    {
        var senders = Enumerable.Range(0, 4).Select(sender => Task.Run(() =>
        {
            for (var i = 0; i < 20; i++)
            {
                Assert.True(_outbound.Send(Frame($"{sender} {i}")));
            }
        }));
        await Task.WhenAll(senders);
        var last = new int[4];
        for (var i = 0; i < 80; i++)
        {
            var parts = (await _socket.Read()).Split(' ');
            Assert.Equal(last[int.Parse(parts[0])]++, int.Parse(parts[1]));
        }
    }

    /// <param name="bytes">On the wire, header included.</param>
    private static OutboundFrame Frame(string text, int bytes = 0) =>
        OutboundFrame.Of(Encoding.UTF8.GetBytes(text.PadRight(bytes > 127 ? bytes - 4 : bytes > 2 ? bytes - 2 : 0, '.')));

    /// <summary>The drainer has taken what was queued: what comes now is queued behind it.</summary>
    private async Task WaitUntilSending()
    {
        for (var i = 0; !_socket.IsSending; i++)
        {
            Assert.True(i < 2_000, "the drainer never started");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);
        }
    }
}
