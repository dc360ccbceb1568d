using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// Publishes signals to the nodes of their receivers, and waits for nothing: a signal that Redis does not take is lost. At most
/// <see cref="MostUnderWay"/> are under way; more are dropped and counted. Thread-safe.
/// </summary>
internal sealed class SignalPublisher(IConnectionMultiplexer redis, SocketMetrics metrics)
{
    /// <summary>Of up to 4 KiB each, so they take 4 MiB at most while Redis does not answer.</summary>
    private const int MostUnderWay = 1_000;

    private int _underWay;

    public void Publish(string from, string? room, string? to, SignalBody signal)
    {
        // A signal is not for the sender's own devices.
        if (room is null && to == from)
        {
            return;
        }

        if (Interlocked.Increment(ref _underWay) > MostUnderWay)
        {
            Interlocked.Decrement(ref _underWay);
            metrics.SignalDropped();
            return;
        }

        // The receiver sees the sender as the other user of the conversation.
        var frame = new SignalFrame(from, room, room is null ? from : null, signal.Name, RawJson.Of(signal.Data));
        var channel = room is null ? RedisChannels.User(to!) : RedisChannels.Room(room);
        var message = new PubSubMessage.Frame(ServerFrameCodec.Encode(frame), room is null ? "" : from);
        _ = PublishAsync(channel, message.Encode());
    }

    private async Task PublishAsync(string channel, byte[] message)
    {
        try
        {
            await redis.GetDatabase().PublishAsync(RedisChannel.Literal(channel), message);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            metrics.SignalDropped();
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }
}
