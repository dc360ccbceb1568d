using AspireChat.ConnectionService;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Limits;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.WebSockets;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ReadResult = AspireChat.ConnectionService.Log.ReadResult;

namespace AspireChat.Benchmarks.Micro;

/// <summary>
/// A client's message from the socket's bytes to a log that takes it and does nothing: the work of a node's event loop. Figures are per
/// message.
/// </summary>
public class InboundBenchmarks
{
    private const int Frames = 16;

    private readonly byte[] _frames = [.. Enumerable.Repeat(Samples.Masked(Samples.ClientFrame), Frames).SelectMany(frame => frame)];
    private readonly FrameLimits _limits = new();
    private readonly FrameReader _reader = new(32 * 1024, 256 * 1024);
    private FrameHandler _handler = null!;

    [GlobalSetup]
    public void Setup()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Jwt:Key"] = new string('k', 64),
            ["ConnectionStrings:redis"] = "localhost",
        });
        builder.Logging.ClearProviders();
        builder.AddConnectionService();
        builder.Services.AddSingleton<IConversationLog, TakingLog>();
        var options = new SocketOptions { EventsPerSecond = 1e9, EventBurst = int.MaxValue };
        builder.Services.AddSingleton(Options.Create(options));
        // The services are composed as in production but never started.
        var handlers = builder.Build().Services.GetRequiredService<FrameHandlers>();
        var connection = new Connection("c-1", Samples.Sender, new SilentOutbound(), long.MaxValue);
        var pass = new RoomPass();
        pass.Settle(joined: true);
        connection.Rooms[Samples.Room] = pass;
        var written = new DailyBytes(Samples.Sender, new NoQuotas(), TimeProvider.System);
        _handler = handlers.For(connection, new UserBudget(options, new BudgetOptions(), written, TimeProvider.System));
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public async Task Message_to_the_log()
    {
        for (var next = 0; next < _frames.Length;)
        {
            ReadNext(ref next);
            if (!ClientFrameReader.TryRead(_reader.Text, _limits, out var frame, out _))
            {
                throw new InvalidOperationException("The frame was refused.");
            }

            await _handler.HandleAsync(frame, CancellationToken.None);
        }
    }

    private void ReadNext(ref int next)
    {
        ReadOnlySpan<byte> bytes = _frames.AsSpan(next);
        if (_reader.Read(ref bytes) != MessageKind.Text)
        {
            throw new InvalidOperationException("The frame is no text.");
        }

        next = _frames.Length - bytes.Length;
    }

    private sealed class SilentOutbound : IOutbound
    {
        public bool Send(OutboundFrame frame) => throw new InvalidOperationException("The message was refused.");

        public bool SendEphemeral(OutboundFrame frame) => true;

        public bool TryWaitForSpace(Action resume) => false;

        public void Close(int code, string reason)
        {
        }
    }

    private sealed class NoQuotas : IUserQuotas
    {
        public Task<TimeSpan> CreateRoomAsync(string user, CancellationToken cancellationToken) => Task.FromResult(TimeSpan.Zero);

        public Task<bool> HasSpaceForRoomAsync(string user, string room, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<TimeSpan> BeginDirectAsync(ConversationKey conversation, string user, CancellationToken cancellationToken) =>
            Task.FromResult(TimeSpan.Zero);

        public Task<TimeSpan> SpendBytesAsync(string user, long bytes, CancellationToken cancellationToken) => Task.FromResult(TimeSpan.Zero);
    }

    private sealed class TakingLog : IConversationLog
    {
        public bool TryAppend(in AppendRequest request) => true;

        public Task<JoinResult> RejoinAsync(string room, string user, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<JoinResult> JoinAsync(string room, string user, CancellationToken cancellationToken, int? rights = null) =>
            throw new NotSupportedException();

        public Task<LeaveResult> LeaveAsync(string room, string user, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<RoomStrangers>> ReadStrangersAsync(
            IReadOnlyCollection<RoomUsers> rooms, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ReadResult> ReadAsync(ConversationKey conversation, string user, long seq, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<TailSlice> ReadTailAsync(
            ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyDictionary<int, PartitionPlace>> ReadPlacesAsync(
            IReadOnlyCollection<int> partitions, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyDictionary<ConversationKey, ConversationHead>> ReadHeadsAsync(
            IReadOnlyCollection<ConversationKey> conversations, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
