using System.Text;
using System.Threading.Channels;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Outbound;
using AspireChat.WebSockets;

namespace AspireChat.Tests.Connections;

public sealed class SharedWritesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RecordingWriter _writer = new();
    private readonly OutboundDrain _drain;
    private readonly OutboundQueue _outbound;

    public SharedWritesTests()
    {
        (var queues, _drain) = TestOutbound.Create(new SocketOptions(), TimeProvider.System);
        _outbound = queues.Create(_writer, () => { }, "c");
    }

    [Fact]
    public async Task A_frame_that_belongs_to_no_turn_goes_out_at_once()
    {
        Assert.True(_outbound.Send(Frame("a")));
        Assert.Equal(["a"], await NextAsync());
        Assert.True(_outbound.SendEphemeral(Frame("typing")));
        Assert.Equal(["typing"], await NextAsync());
    }

    [Fact]
    public void All_frames_of_a_turn_share_a_write_and_it_happens_on_the_hubs_thread()
    {
        _drain.Begin();
        Assert.True(_outbound.SendEphemeral(Frame("typing")));
        Assert.True(_outbound.Send(Frame("a")));
        Assert.True(_outbound.Send(Frame("b")));
        Assert.False(_writer.HasWritten);
        _drain.End();
        Assert.Equal(["typing", "a", "b"], _writer.Next());
        Assert.False(_writer.HasWritten);
    }

    [Fact]
    public async Task Of_very_many_queues_a_turn_leaves_all_but_the_first_to_the_workers()
    {
        var (queues, drain) = TestOutbound.Create(new SocketOptions(), TimeProvider.System);
        var writers = Enumerable.Range(0, 300).Select(_ => new RecordingWriter()).ToList();
        var outbound = writers.Select(writer => queues.Create(writer, () => { }, "c")).ToList();
        drain.Begin();
        outbound.ForEach(queue => Assert.True(queue.Send(Frame("a"))));
        drain.End();
        Assert.Equal(["a"], writers[0].Next());
        foreach (var writer in writers[1..])
        {
            Assert.Equal(["a"], await writer.NextAsync());
        }
    }

    [Fact]
    public async Task A_close_goes_out_behind_the_frames_of_its_turn()
    {
        _drain.Begin();
        Assert.True(_outbound.Send(Frame("a")));
        _outbound.Close(1000, "");
        _drain.End();
        Assert.Equal(["a"], await NextAsync());
        Assert.Equal(["close 1000"], await NextAsync());
    }

    [Fact]
    public async Task Frames_that_come_during_a_write_share_the_next_one()
    {
        await _writer.HoldAsync();
        Assert.True(_outbound.Send(Frame("a")));
        await _writer.Writing.WaitAsync(Patience);
        Assert.True(_outbound.Send(Frame("b")));
        Assert.True(_outbound.Send(Frame("c")));
        _writer.LetGo();
        Assert.Equal(["a"], await NextAsync());
        Assert.Equal(["b", "c"], await NextAsync());
    }

    [Fact]
    public async Task Of_pings_that_wait_the_last_is_answered_together_with_what_is_queued()
    {
        await _writer.HoldAsync();
        Assert.True(_outbound.Send(Frame("a")));
        await _writer.Writing.WaitAsync(Patience);
        Assert.True(_outbound.Send(Frame("b")));
        _outbound.Pong([1]);
        _outbound.Pong([2]);
        _writer.LetGo();
        Assert.Equal(["a"], await NextAsync());
        Assert.Equal(["b", "\u0002"], await NextAsync());
    }

    private Task<List<string>> NextAsync() => _writer.NextAsync();

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

    /// <summary>A write that has happened.</summary>
    public List<string> Next() => _writes.Reader.TryRead(out var write) ? write : throw new InvalidOperationException("Nothing was written.");

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
