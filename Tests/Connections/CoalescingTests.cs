using System.Text;
using System.Threading.Channels;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Tests.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Connections;

public sealed class CoalescingTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingWriter _writer = new();
    private readonly OutboundDrain _drain;
    private readonly OutboundQueue _outbound;

    public CoalescingTests()
    {
        var options = new SocketOptions { CoalesceAbove = 50, CoalesceFor = TimeSpan.FromMilliseconds(8) };
        (var queues, _drain) = TestOutbound.Create(options, _time);
        _outbound = queues.Create(_writer, () => { }, "c");
    }

    [Fact]
    public async Task Frames_of_a_quiet_connection_go_out_at_once()
    {
        for (var i = 0; i < 200; i++)
        {
            Assert.True(_outbound.Send(Frame($"{i}")));
            Assert.Equal([$"{i}"], await NextAsync());
            // 50 a second.
            _time.Advance(TimeSpan.FromMilliseconds(20));
        }
    }

    [Fact]
    public async Task Frames_of_a_busy_connection_share_writes()
    {
        await MakeBusyAsync();
        Assert.True(_outbound.Send(Frame("a")));
        _time.Advance(TimeSpan.FromMilliseconds(4));
        Assert.True(_outbound.Send(Frame("b")));
        Assert.True(_outbound.Send(Frame("c")));
        _time.Advance(TimeSpan.FromMilliseconds(3.9));
        Assert.False(_writer.HasWritten);
        _time.Advance(TimeSpan.FromMilliseconds(0.2));
        Assert.Equal(["a", "b", "c"], await NextAsync());
    }

    [Fact]
    public async Task A_connection_that_was_busy_is_quiet_again_after_a_moment()
    {
        await MakeBusyAsync();
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.True(_outbound.Send(Frame("a")));
        Assert.Equal(["a"], await NextAsync());
    }

    [Fact]
    public async Task Ephemeral_frames_ride_along()
    {
        Assert.True(_outbound.SendEphemeral(Frame("typing")));
        Assert.True(_outbound.Send(Frame("a")));
        Assert.Equal(["typing", "a"], await NextAsync());
    }

    [Fact]
    public async Task Ephemeral_frames_alone_wait_for_the_next_tick()
    {
        Assert.True(_outbound.SendEphemeral(Frame("typing")));
        _time.Advance(TimeSpan.FromMilliseconds(7.9));
        Assert.False(_writer.HasWritten);
        _time.Advance(TimeSpan.FromMilliseconds(0.2));
        Assert.Equal(["typing"], await NextAsync());
    }

    [Fact]
    public async Task Many_bytes_do_not_wait()
    {
        await MakeBusyAsync();
        Assert.True(_outbound.Send(Frame(new string('x', 20_000))));
        Assert.Single(await NextAsync());
    }

    [Fact]
    public async Task A_close_does_not_wait_and_what_waited_goes_before_it()
    {
        await MakeBusyAsync();
        Assert.True(_outbound.Send(Frame("a")));
        _outbound.Close(1000, "");
        Assert.Equal(["a"], await NextAsync());
        Assert.Equal(["close 1000"], await NextAsync());
    }

    [Fact]
    public async Task Of_pings_that_wait_the_last_is_answered_together_with_what_is_queued()
    {
        await MakeBusyAsync();
        Assert.True(_outbound.Send(Frame("a")));
        await _writer.HoldAsync();
        Assert.True(_outbound.Send(Frame(new string('x', 20_000))));
        await _writer.Writing.WaitAsync(Patience);
        _outbound.Pong([1]);
        _outbound.Pong([2]);
        _writer.LetGo();
        Assert.Equal(2, (await NextAsync()).Count);
        Assert.Equal(["\u0002"], await NextAsync());
    }

    /// <summary>The next write, when the queue has come to rest: what is sent then finds it idle.</summary>
    private async Task<List<string>> NextAsync()
    {
        var written = await _writer.NextAsync();
        await Eventually.IsTrueAsync(() => _drain.Workers == 0, "the worker ends");
        return written;
    }

    /// <summary>More writes in a row than a quiet connection has.</summary>
    private async Task MakeBusyAsync()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.True(_outbound.Send(Frame("early")));
            await NextAsync();
        }
    }

    private static OutboundFrame Frame(string text) => OutboundFrame.Of(Encoding.UTF8.GetBytes(text));
}

/// <summary>Remembers which frames shared a write.</summary>
internal sealed class RecordingWriter : IFrameWriter
{
    private readonly Channel<List<string>> _writes = Channel.CreateUnbounded<List<string>>();
    private readonly SemaphoreSlim _gate = new(1);
    private TaskCompletionSource _writing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool WritesControlFrames => true;

    public bool HasWritten => _writes.Reader.Count > 0;


    /// <summary>Completes when a write has begun since <see cref="HoldAsync"/>.</summary>
    public Task Writing => _writing.Task;

    /// <summary>Writes wait from now on.</summary>
    public async Task HoldAsync()
    {
        await _gate.WaitAsync();
        _writing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void LetGo() => _gate.Release();

    public async Task<List<string>> NextAsync() => await _writes.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    public async ValueTask<int> WriteAsync(FrameList frames, int from)
    {
        _writing.TrySetResult();
        await _gate.WaitAsync();
        _gate.Release();
        var written = Enumerable.Range(from, frames.Count - from);
        _writes.Writer.TryWrite([.. written.Select(i => Encoding.UTF8.GetString(frames[i].Payload.Span))]);
        return frames.Count - from;
    }

    public ValueTask WriteCloseAsync(int code, string reason)
    {
        _writes.Writer.TryWrite([$"close {code}"]);
        return ValueTask.CompletedTask;
    }
}
