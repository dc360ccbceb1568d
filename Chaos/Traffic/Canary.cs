using System.Collections.Concurrent;
using AspireChat.Client;

namespace AspireChat.Chaos.Traffic;

/// <summary>
/// Tells when the system works again: one user sends a marker into a room, and three others on connections of their own wait for it. They
/// bypass the faulty link to the gateway and reconnect quickly.
/// </summary>
internal sealed class Canary : IAsyncDisposable
{
    private const int Receivers = 3;
    private const int Markers = 3;

    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(40);

    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    private readonly List<ChatClient> _clients = [];
    private readonly ConcurrentDictionary<string, CountdownEvent> _unseen = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _seen = new();
    private readonly Conversation _room;
    private int _sent;

    private Canary(string room) => _room = Conversation.Room(room);

    public static async Task<Canary> StartAsync(Func<string, ChatClient> connect, string room, CancellationToken cancellationToken)
    {
        var canary = new Canary(room);
        for (var i = 0; i <= Receivers; i++)
        {
            var client = connect($"{room}-{i}");
            canary._clients.Add(client);
            await client.ConnectAsync(cancellationToken);
            await client.JoinAsync(room, cancellationToken: cancellationToken);
            _ = canary.ReadAsync(client, counts: i > 0);
        }
        return canary;
    }

    /// <summary>
    /// The time until the last of a few markers has reached all readers. A marker that got into the log just before a reader was told to
    /// reload is history for that reader, so a later one counts as well.
    /// </summary>
    public async Task<TimeSpan> RoundTripAsync(CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        var first = new List<Task>();
        for (var i = 0; i < Markers; i++)
        {
            if (i > 0)
            {
                await Task.Delay(Spacing, TimeProvider.System, cancellationToken);
            }

            first.Add(Send());
        }
        List<Task> anyOf = [Task.WhenAll(first)];
        while (true)
        {
            using var again = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            anyOf.Add(Task.Delay(Again, TimeProvider.System, again.Token));
            var done = await Task.WhenAny(anyOf);
            anyOf.RemoveAt(anyOf.Count - 1);
            if (anyOf.Contains(done))
            {
                await again.CancelAsync();
                return TimeProvider.System.GetElapsedTime(began) - (Spacing * (Markers - 1));
            }
            cancellationToken.ThrowIfCancellationRequested();
            anyOf.Add(Send());
        }
    }

    private Task Send()
    {
        var marker = $"canary-{Interlocked.Increment(ref _sent)}";
        _unseen[marker] = new CountdownEvent(Receivers);
        var source = _seen[marker] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = _clients[0].SendAsync(_room, marker, cancellationToken: CancellationToken.None).ContinueWith(
            static sent => _ = sent.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return source.Task;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }
    }

    private async Task ReadAsync(ChatClient client, bool counts)
    {
        await foreach (var item in client.Events(CancellationToken.None))
        {
            if (!counts || item is not MessageSent message || !_unseen.TryGetValue(message.Content, out var left))
            {
                continue;
            }

            bool last;
            lock (left)
            {
                last = !left.IsSet && left.Signal();
            }

            if (last && _seen.TryRemove(message.Content, out var source))
            {
                source.TrySetResult();
            }
        }
    }
}
