using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Outbound;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using AspireChat.WebSockets;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AspireChat.Benchmarks.Micro;

/// <summary>
/// A room of 200 local members, with all that happens between the publication and the socket. Figures are per delivered frame. The cost that
/// an event has once is in them as a two-hundredth.
/// </summary>
public class FanOutBenchmarks : IHubEffects
{
    private const int Members = 200;

    /// <summary>Events that follow one another.</summary>
    private const int Burst = 8;

    private const int Frames = Members * Burst;

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly List<OutboundQueue> _queues = [];
    private readonly Queue<HubMessage> _inbox = new();

    /// <summary>The publication. Each run writes the next seq into it.</summary>
    private readonly byte[] _payload = [.. Encoding.ASCII.GetBytes($"E e1 {0:D12} "), .. LogRecordCodec.Encode(Samples.Event)];

    private readonly OutboundFrame _frame = OutboundFrame.Of(Samples.Event, withNonce: false);
    private OutboundDrain _drain = null!;
    private SocketSink? _sink;
    private int _written;
    private Hub _hub = null!;
    private long _seq;

    /// <summary>Events that a hub handles in one turn: their frames share writes.</summary>
    [Params(1, 8)]
    public int EventsPerTurn { get; set; }

    /// <summary>
    /// False uses writers that take every frame and do nothing. True uses sockets over loopback, whose system calls cost more than all else.
    /// </summary>
    [Params(false, true)]
    public bool Sockets { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        var limits = new SocketOptions { OutboundBytes = int.MaxValue }.Outbound;
        var metrics = new OutboundMetrics(meters);
        _drain = new OutboundDrain(metrics);
        var queues = new OutboundQueues(limits, _drain, metrics, _time, NullLogger<OutboundQueue>.Instance);
        _hub = new Hub(new HubOptions(), retryAfter: 1_000, this, new HubMetrics(meters), NullLogger.Instance);
        _sink = Sockets ? new SocketSink(Members) : null;
        for (var i = 0; i < Members; i++)
        {
            var queue = queues.Create(new CountingWriter(this, _sink?.Clients[i]), () => { }, $"c{i}");
            _queues.Add(queue);
            var connection = new Connection($"c{i}", $"user-{i}", queue, long.MaxValue) { Welcome = _frame };
            Post(new HubMessage.Opened(connection));
            Post(new HubMessage.Join(connection, Samples.Room, new RoomPass(), null, null, null));
        }
        // Each connection has got its welcome and its joined.
        WaitFor(2 * Members);
    }

    [GlobalCleanup]
    public void Cleanup() => _sink?.Dispose();

    [Benchmark(OperationsPerInvoke = Frames)]
    public void Event_to_a_room()
    {
        for (var i = 0; i < Burst; i++)
        {
            BeginTurn(i);
            (++_seq).TryFormat(_payload.AsSpan("E e1 ".Length), out _, "D12", CultureInfo.InvariantCulture);
            Post(new HubMessage.Payload(ChatChannel.Room(Samples.Room), _payload));
            EndTurn(i);
        }
        WaitFor(Frames);
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public void Encoded_event_to_its_receivers()
    {
        for (var i = 0; i < Burst; i++)
        {
            BeginTurn(i);
            foreach (var queue in _queues)
            {
                queue.Send(_frame);
            }
            EndTurn(i);
        }
        WaitFor(Frames);
    }

    void IHubEffects.Subscribe(ChatChannel channel) => _inbox.Enqueue(new HubMessage.Subscribed(channel, Success: true));

    bool IHubEffects.KnowsRemovals(TimeSpan age) => true;

    void IHubEffects.RemovalsHandled(long round) => throw new NotSupportedException();

    void IHubEffects.Join(string room, string user, long token, int? rights) =>
        _inbox.Enqueue(new HubMessage.JoinAnswer(room, token, new JoinResult("e1", _seq, 0, NewMember: true, At: 0)));

    void IHubEffects.ReadPresence(string room) => _inbox.Enqueue(new HubMessage.PresenceAnswer(room, RoomPresence.Unknown));

    void IHubEffects.PostToRoom(string room, HubMessage message) => _inbox.Enqueue(message);

    void IHubEffects.PostToSelf(HubMessage message) => throw new NotSupportedException();

    void IHubEffects.MembershipChanged(string room, string user, bool member)
    {
    }

    void IHubEffects.PresenceMissed(string room)
    {
    }

    void IHubEffects.ProfileChanged(string user)
    {
    }

    void IHubEffects.Unsubscribe(ChatChannel channel) => throw new NotSupportedException();

    void IHubEffects.Leave(string room, string user) => throw new NotSupportedException();

    void IHubEffects.ReadMembers(IReadOnlyCollection<RoomUsers> rooms) => throw new NotSupportedException();

    void IHubEffects.ReadForRepair(FeedId feed, long afterSeq, int limit, long token) => throw new NotSupportedException();

    void IHubEffects.ReadForReplay(FeedId feed, long afterSeq, int limit, long token) => throw new NotSupportedException();

    void IHubEffects.Rejoin(string room, string user, long token) => throw new NotSupportedException();

    void IHubEffects.ReadPlaces(IReadOnlyCollection<int> partitions) => throw new NotSupportedException();

    void IHubEffects.ReadHeads(IReadOnlyCollection<ConversationKey> conversations) => throw new NotSupportedException();

    private void Post(HubMessage message)
    {
        _inbox.Enqueue(message);
        while (_inbox.TryDequeue(out var next))
        {
            _hub.Handle(next);
        }
    }

    private void BeginTurn(int e)
    {
        if (e % EventsPerTurn == 0)
        {
            _drain.Begin();
        }
    }

    private void EndTurn(int e)
    {
        if ((e + 1) % EventsPerTurn == 0)
        {
            _drain.End();
        }
    }

    /// <summary>Returns when this many more frames are written than at the last call.</summary>
    private void WaitFor(int frames)
    {
        var spin = new SpinWait();
        while (Volatile.Read(ref _written) < frames)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
        Interlocked.Add(ref _written, -frames);
    }

    /// <param name="to">Null for a writer that does nothing. Its client reads faster than it is written to.</param>
    private sealed class CountingWriter(FanOutBenchmarks counter, Socket? to) : IFrameWriter
    {
        private readonly byte[] _gathered = new byte[64 * 1024];

        public bool WritesControlFrames => true;

        public ValueTask<int> WriteAsync(FrameList frames, int from)
        {
            var count = frames.CountIn(_gathered.Length, from, out var bytes);
            if (to is not null)
            {
                var length = 0;
                for (var i = from; i < from + count; i++)
                {
                    frames[i].Bytes.Span.CopyTo(_gathered.AsSpan(length));
                    length += frames[i].Length;
                }
                if (Epoll.Send(to.SafeHandle, _gathered.AsSpan(0, length)) != bytes)
                {
                    throw new InvalidOperationException("The client does not read fast enough.");
                }
            }

            Interlocked.Add(ref counter._written, count);
            return ValueTask.FromResult(count);
        }

        public ValueTask WriteCloseAsync(int code, string reason) => ValueTask.CompletedTask;
    }
}
