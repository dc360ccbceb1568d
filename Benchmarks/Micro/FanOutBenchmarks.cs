using System.Diagnostics.Metrics;
using System.Text;
using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Sockets;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AspireChat.Benchmarks.Micro;

/// <summary>
/// A room of 200 local members, all that happens between the pub/sub message and the socket: the sockets themselves take everything
/// and do
/// nothing. Per delivered frame.
/// </summary>
public class FanOutBenchmarks : IHubEffects
{
    private const int Members = 200;

    private readonly CountingWriter _writer = new();
    private readonly List<OutboundQueue> _queues = [];
    private readonly Queue<HubMessage> _inbox = new();
    private readonly byte[] _record = LogRecordCodec.Encode(Samples.Event);
    private readonly OutboundFrame _frame = OutboundFrame.Of(Samples.Event, withNonce: false);
    private Hub _hub = null!;
    private long _seq;

    /// <summary>Milliseconds that busy connections wait for more; 0: every frame is a write of its own.</summary>
    [Params(0, 8)]
    public int CoalesceFor { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        var options = Options.Create(new SocketOptions { CoalesceFor = TimeSpan.FromMilliseconds(CoalesceFor),
            OutboundBytes = int.MaxValue });
        var drain = new OutboundDrain(options, new SocketMetrics(meters), TimeProvider.System, NullLogger<OutboundDrain>.Instance);
        _hub = new Hub(new HubOptions(), this, new HubMetrics(meters), NullLogger.Instance);
        for (var i = 0; i < Members; i++)
        {
            var queue = new OutboundQueue(_writer, drain, () => { }, $"c{i}");
            _queues.Add(queue);
            var connection = new Connection($"c{i}", $"user-{i}", queue, long.MaxValue) { Welcome = OutboundFrame.Of("{}"u8) };
            Post(new HubMessage.Opened(connection));
            Post(new HubMessage.Join(connection, Samples.Room, new RoomPass(), null, null, null));
        }
        _writer.WaitFor(2 * Members);
    }

    [Benchmark(OperationsPerInvoke = Members)]
    public void Event_to_a_room()
    {
        _seq++;
        Post(new HubMessage.Payload(HubChannel.Room(Samples.Room), (byte[])[.. Encoding.ASCII.GetBytes($"E e1 {_seq} "), .. _record]));
        _writer.WaitFor(Members);
    }

    [Benchmark(OperationsPerInvoke = Members)]
    public void Encoded_event_to_its_receivers()
    {
        foreach (var queue in _queues)
            queue.Send(_frame);
        _writer.WaitFor(Members);
    }

    void IHubEffects.Subscribe(HubChannel channel) => _inbox.Enqueue(new HubMessage.Subscribed(channel, Success: true));

    void IHubEffects.Join(string room, string user, long token) =>
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

    void IHubEffects.Unsubscribe(HubChannel channel) => throw new NotSupportedException();

    void IHubEffects.Leave(string room, string user) => throw new NotSupportedException();

    void IHubEffects.ReadMembers(IReadOnlyCollection<RoomUsers> rooms) => throw new NotSupportedException();

    void IHubEffects.ReadTail(FeedId feed, long afterSeq, int limit, long token) => throw new NotSupportedException();

    void IHubEffects.ReadHeads(IReadOnlyCollection<ConversationKey> conversations) => throw new NotSupportedException();

    private void Post(HubMessage message)
    {
        _inbox.Enqueue(message);
        while (_inbox.TryDequeue(out var next))
            _hub.Handle(next);
    }

    /// <summary>Stands for 200 sockets that never fill up.</summary>
    private sealed class CountingWriter : IFrameWriter
    {
        private int _frames;
        private int _awaited;

        public bool WritesControlFrames => true;

        public ValueTask<int> WriteAsync(FrameList frames, int from)
        {
            Interlocked.Add(ref _frames, frames.Count - from);
            return ValueTask.FromResult(frames.Count - from);
        }

        public ValueTask WriteCloseAsync(int code, string reason) => ValueTask.CompletedTask;

        /// <summary>Returns when so many frames more have come than at the last call.</summary>
        public void WaitFor(int frames)
        {
            _awaited += frames;
            var spin = new SpinWait();
            while (Volatile.Read(ref _frames) - _awaited < 0)
                spin.SpinOnce();
        }
    }
}
