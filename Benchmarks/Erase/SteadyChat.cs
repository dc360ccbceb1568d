using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using AspireChat.Benchmarks.Load;

namespace AspireChat.Benchmarks.Erase;

/// <summary>One time that was taken.</summary>
/// <param name="SentAt">When the message was sent, as a <see cref="Stopwatch"/> timestamp.</param>
internal readonly record struct ChatTime(long SentAt, double Milliseconds);

/// <summary>
/// Rooms in which members write in turn, at a steady rate. Each message carries the moment at which it was sent, so each acknowledgement and each
/// delivery gives a time. One loop sends; what is heard comes from the sockets' threads.
/// </summary>
internal sealed class SteadyChat(AspireChatSystem system, EraseOptions options) : IAsyncDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(5);

    private readonly List<(LiveSocket Socket, string Room)> _members = [];
    private readonly CancellationTokenSource _stop = new();
    private Task _sending = Task.CompletedTask;
    private long _sent;

    /// <summary>From a message's sending to its acknowledgement.</summary>
    public ConcurrentQueue<ChatTime> Acks { get; } = [];

    /// <summary>To its receipt by each other member and by the sender.</summary>
    public ConcurrentQueue<ChatTime> Deliveries { get; } = [];

    public long Sent => Volatile.Read(ref _sent);

    public long Expected => Sent * options.RoomSize;

    public async Task BeginAsync()
    {
        for (var number = 0; number < options.Rooms * options.RoomSize; number++)
        {
            var room = string.Create(CultureInfo.InvariantCulture, $"chat-{number / options.RoomSize}");
            var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var socket = await LiveSocket.ConnectAsync(system.Nodes[number % 2], system.Token($"chatter-{number}"), (frame, at) =>
            {
                if (frame.StartsWith("{\"type\":\"joined\""u8))
                {
                    joined.TrySetResult();
                }
                else
                {
                    Hear(frame, at);
                }
            });
            await socket.SendAsync($$"""{"type":"join","room":"{{room}}"}""");
            await joined.Task.WaitAsync(TimeSpan.FromSeconds(30));
            _members.Add((socket, room));
        }

        _sending = SendAsync(_stop.Token);
    }

    /// <summary>Sends no more, and gives what is under way a moment.</summary>
    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        for (var waited = 0; waited < 100 && Deliveries.Count < Expected; waited++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        foreach (var (socket, _) in _members)
        {
            await socket.DisposeAsync();
        }

        _stop.Dispose();
    }

    private async Task SendAsync(CancellationToken stop)
    {
        var begun = Stopwatch.GetTimestamp();
        try
        {
            while (true)
            {
                for (var due = (long)(Stopwatch.GetElapsedTime(begun).TotalSeconds * options.Rate); _sent < due; _sent++)
                {
                    // A stride that visits all rooms before it comes back to one.
                    var (socket, room) = _members[(int)(_sent % options.Rooms * options.RoomSize + _sent / options.Rooms % options.RoomSize)];
                    var now = Stopwatch.GetTimestamp();
                    await socket.SendAsync(string.Create(
                        CultureInfo.InvariantCulture, $$"""{"type":"room","room":"{{room}}","content":"t{{now}}","nonce":"t{{now}}"}"""));
                }

                await Task.Delay(Beat, TimeProvider.System, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The chat is over.
        }
    }

    private void Hear(ReadOnlySpan<byte> frame, long at)
    {
        var isAck = frame.StartsWith("{\"type\":\"ack\""u8);
        if (!isAck && !frame.StartsWith("{\"type\":\"room\""u8))
        {
            return;
        }

        var mark = isAck ? "\"nonce\":\"t"u8 : "\"content\":\"t"u8;
        var place = frame.IndexOf(mark);
        if (place >= 0 && Utf8Parser.TryParse(frame[(place + mark.Length)..], out long sentAt, out _))
        {
            (isAck ? Acks : Deliveries).Enqueue(new ChatTime(sentAt, Stopwatch.GetElapsedTime(sentAt, at).TotalMilliseconds));
        }
    }
}
