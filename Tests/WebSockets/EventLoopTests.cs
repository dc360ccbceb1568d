using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using AspireChat.Tests.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.WebSockets;

/// <summary>The loop with real sockets. <see cref="TurnAsync"/> proves that a member was not called.</summary>
public sealed class EventLoopTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<Exception> _reported = new();
    private readonly List<LoopPair> _pairs = [];
    private readonly EventLoop<LoopMember> _loop;
    private readonly LoopPair _turn;
    private TaskCompletionSource _turned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _members;
    private bool _ended;

    public EventLoopTests()
    {
        _loop = new EventLoop<LoopMember>("event loop under test", _time, _reported.Enqueue);
        _turn = Watch(Readiness.Readable, pair =>
        {
            Receive(pair, most: 1);
            Volatile.Read(ref _turned).SetResult();
        });
    }

    public void Dispose()
    {
        EndLoop();
        _pairs.ForEach(pair => pair.Dispose());
    }

    [Fact]
    public void Disposing_twice_closes_no_descriptor_that_is_another_s()
    {
        var epoll = new Epoll();
        epoll.Dispose();
        using var other = new Epoll();
        epoll.Dispose();
        using var pair = new LoopPair(new LoopMember(7));
        other.Watch(pair.Near.SafeHandle, Readiness.Writable, tag: 7);
        Assert.Equal(1, other.Wait(milliseconds: 1_000));
    }

    [Fact]
    public async Task A_readable_socket_is_reported_until_it_is_read_empty_and_again_when_more_arrives()
    {
        var received = new ConcurrentQueue<byte>();
        var socket = Watch(Readiness.Readable, pair => received.Enqueue(Receive(pair, most: 1)[0]));

        socket.Far.Send("abc"u8);
        await UntilAsync(() => received.Count == 3);
        await TurnAsync();
        Assert.Equal("abc"u8.ToArray(), received);
        Assert.Equal(3, socket.Member.Calls);

        socket.Far.Send("d"u8);
        await UntilAsync(() => received.Count == 4);
        await TurnAsync();
        Assert.Equal(4, socket.Member.Calls);
    }

    [Fact]
    public async Task A_full_socket_is_reported_as_writable_once_its_peer_has_read()
    {
        var pair = Connect();
        var block = new byte[64 * 1024];
        while (Epoll.Send(pair.Near.SafeHandle, block) > 0)
        {
        }

        var writable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Watch(pair, Readiness.Writable, self =>
        {
            _loop.Epoll.Forget(self.Near.SafeHandle);
            writable.SetResult();
        });
        await TurnAsync();
        Assert.Equal(0, pair.Member.Calls);

        while (!writable.Task.IsCompleted && pair.Far.Poll(Patience, SelectMode.SelectRead))
        {
            pair.Far.Receive(block);
        }

        await writable.Task.WaitAsync(Patience);
        Assert.True(Epoll.Send(pair.Near.SafeHandle, "x"u8) > 0);
    }

    [Fact]
    public async Task A_socket_that_another_thread_has_watched_while_the_loop_waits_is_reported()
    {
        await TurnAsync();
        var pair = Connect();
        pair.Far.Send("x"u8);
        var thread = 0;
        Watch(pair, Readiness.Readable, self =>
        {
            Receive(self, most: 1);
            Volatile.Write(ref thread, Environment.CurrentManagedThreadId);
        });

        await UntilAsync(() => Volatile.Read(ref thread) != 0);
        Assert.NotEqual(Environment.CurrentManagedThreadId, thread);
    }

    [Fact]
    public async Task The_end_of_the_peer_is_reported()
    {
        var received = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var socket = Watch(Readiness.Readable, pair =>
        {
            _loop.Epoll.Forget(pair.Near.SafeHandle);
            received.SetResult(Epoll.Receive(pair.Near.SafeHandle, new byte[1]));
        });

        socket.Far.Close();

        Assert.Equal(0, await received.Task.WaitAsync(Patience));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_member_that_is_removed_while_its_event_is_pending_is_not_called(bool closesItsSocket)
    {
        var pending = new List<LoopPair>();
        var called = new ConcurrentQueue<LoopPair>();
        for (var i = 0; i < 2; i++)
        {
            pending.Add(Watch(Readiness.Readable, self =>
            {
                called.Enqueue(self);
                Receive(self, most: 1);
                var other = pending.Single(pair => pair != self);
                _loop.Remove(other.Member);
                if (closesItsSocket)
                {
                    other.Near.Dispose();
                }
                else
                {
                    _loop.Epoll.Forget(other.Near.SafeHandle);
                }
            }));
        }
        // Both become ready while the loop is busy, so that one call of epoll reports both.
        await BusyAsync(() => pending.ForEach(pair => pair.Far.Send("x"u8)));

        await UntilAsync(() => !called.IsEmpty);
        await TurnAsync();
        Assert.Single(called);
        Assert.Empty(_reported);
    }

    [Fact]
    public async Task A_fault_of_a_member_is_reported_and_ends_only_that_member()
    {
        var fault = new InvalidDataException("on purpose");
        var broken = Watch(Readiness.Readable, pair =>
        {
            _loop.Epoll.Forget(pair.Near.SafeHandle);
            throw fault;
        });

        broken.Far.Send("x"u8);

        await UntilAsync(() => broken.Member.Failure is not null);
        Assert.Same(fault, broken.Member.Failure);
        Assert.Same(fault, Assert.Single(_reported));
        await TurnAsync();
    }

    [Fact]
    public async Task A_socket_that_its_owner_closes_at_this_moment_ends_its_member_without_a_report()
    {
        var closed = Watch(Readiness.Readable, pair =>
        {
            pair.Near.Dispose();
            Receive(pair, most: 1);
        });

        closed.Far.Send("x"u8);

        await UntilAsync(() => closed.Member.Failure is not null);
        Assert.IsType<ObjectDisposedException>(closed.Member.Failure);
        await TurnAsync();
        Assert.Empty(_reported);
    }

    [Fact]
    public async Task Members_are_swept_when_a_quarter_of_a_second_has_passed_and_not_at_every_event()
    {
        var socket = Watch(Readiness.Readable, pair => Receive(pair, most: 1));
        for (var i = 0; i < 5; i++)
        {
            await TurnAsync();
        }

        Assert.Equal(0, socket.Member.Sweeps);

        _time.Advance(TimeSpan.FromMilliseconds(250));
        await UntilAsync(() => socket.Member.Sweeps == 1);
        await TurnAsync();
        Assert.Equal(1, socket.Member.Sweeps);
    }

    [Fact]
    public async Task A_loop_with_a_slower_sweep_calls_its_members_no_sooner()
    {
        using var slow = new EventLoop<LoopMember>("slow loop under test", _time, _reported.Enqueue, TimeSpan.FromSeconds(1));
        var pair = Connect();
        slow.Add(pair.Member);
        for (var i = 0; i < 3; i++)
        {
            var before = slow.Now;
            _time.Advance(TimeSpan.FromMilliseconds(300));
            await UntilAsync(() => slow.Now > before);
        }

        Assert.Equal(0, pair.Member.Sweeps);

        _time.Advance(TimeSpan.FromMilliseconds(300));
        await UntilAsync(() => pair.Member.Sweeps == 1);
    }

    [Fact]
    public void A_broken_connection_is_told_from_an_empty_one_and_from_an_ended_one()
    {
        var (empty, ended, broken) = (Connect(), Connect(), Connect());
        ended.Far.Close();
        broken.Far.Close(timeout: 0);
        Assert.True(ended.Near.Poll(Patience, SelectMode.SelectRead));
        Assert.True(broken.Near.Poll(Patience, SelectMode.SelectRead));

        Assert.Equal((-1, false), ReceiveFrom(empty));
        Assert.Equal((0, false), ReceiveFrom(ended));
        Assert.Equal((-1, true), ReceiveFrom(broken));
        empty.Near.Dispose();
        Assert.Equal((-1, true), ReceiveFrom(empty));

        static (int, bool) ReceiveFrom(LoopPair pair) =>
            (Epoll.Receive(pair.Near.SafeHandle, new byte[1], out var isBroken), isBroken);
    }

    [Fact]
    public void A_watched_socket_can_be_watched_for_something_else()
    {
        using var epoll = new Epoll();
        var pair = Connect();
        epoll.Watch(pair.Near.SafeHandle, Readiness.Readable, tag: 5);
        Assert.Equal(0, epoll.Wait(milliseconds: 0));

        epoll.Change(pair.Near.SafeHandle, Readiness.Writable, tag: 6);

        Assert.Equal(1, epoll.Wait(milliseconds: 1_000));
        Assert.Equal((6, Readiness.Writable), epoll.Ready(0));
    }

    [Fact]
    public async Task Disposing_ends_the_thread_and_releases_its_descriptor()
    {
        var socket = Watch(Readiness.Readable, pair => Receive(pair, most: 1));
        await TurnAsync();
        Assert.Single(WatchersOf(socket.Near));
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var dying = Watch(Readiness.Readable, pair =>
        {
            Receive(pair, most: 1);
            ended.SetResult();
        });
        dying.Far.Send("x"u8);
        await ended.Task.WaitAsync(Patience);

        EndLoop();

        Assert.Empty(WatchersOf(socket.Near));
        socket.Far.Send("x"u8);
        Assert.True(socket.Near.Poll(Patience, SelectMode.SelectRead));
        Assert.Equal(0, socket.Member.Calls);
    }

    private void EndLoop()
    {
        if (!_ended)
        {
            _ended = true;
            _loop.Dispose();
        }
    }

    private static byte[] Receive(LoopPair pair, int most)
    {
        var bytes = new byte[most];
        var count = Epoll.Receive(pair.Near.SafeHandle, bytes);
        return count > 0 ? bytes[..count] : throw new InvalidOperationException("Nothing has arrived.");
    }

    /// <summary>The epoll descriptors of this process that watch the socket, from what Linux says about each descriptor.</summary>
    private static List<string> WatchersOf(Socket socket)
    {
        var watched = $"tfd: {socket.SafeHandle.DangerousGetHandle(),8} ";
        return [.. Directory.EnumerateFiles("/proc/self/fdinfo").Where(descriptor =>
        {
            try
            {
                return File.ReadLines(descriptor).Any(line => line.StartsWith(watched, StringComparison.Ordinal));
            }
            catch (IOException)
            {
                // Another test has closed it.
                return false;
            }
        })];
    }

    private static Task UntilAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Eventually.IsTrueAsync(condition, what);

    /// <summary>
    /// Returns after two more events of a member that others do not touch. The second is reported by a later call of epoll than the first,
    /// so a socket that was ready before has had its call by then.
    /// </summary>
    private async Task TurnAsync()
    {
        for (var i = 0; i < 2; i++)
        {
            Volatile.Write(ref _turned, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            _turn.Far.Send("."u8);
            await _turned.Task.WaitAsync(Patience);
        }
    }

    /// <summary>Keeps the loop inside a member's call while <paramref name="act"/> runs.</summary>
    private async Task BusyAsync(Action act)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var leave = new ManualResetEventSlim();
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = Watch(Readiness.Readable, pair =>
        {
            Receive(pair, most: 1);
            entered.SetResult();
            leave.Wait(Patience);
            left.SetResult();
        });
        gate.Far.Send("x"u8);
        await entered.Task.WaitAsync(Patience);
        act();
        leave.Set();
        await left.Task.WaitAsync(Patience);
    }

    private LoopPair Watch(Readiness what, Action<LoopPair> onReady)
    {
        var pair = Connect();
        Watch(pair, what, onReady);
        return pair;
    }

    private void Watch(LoopPair pair, Readiness what, Action<LoopPair> onReady)
    {
        pair.Member.Ready = () => onReady(pair);
        _loop.Add(pair.Member);
        _loop.Epoll.Watch(pair.Near.SafeHandle, what, pair.Member.Id);
    }

    private LoopPair Connect()
    {
        var pair = new LoopPair(new LoopMember(++_members));
        _pairs.Add(pair);
        return pair;
    }
}
