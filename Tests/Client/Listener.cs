using AspireChat.Client;

namespace AspireChat.Tests.Client;

/// <summary>Reads all items of a client and keeps them in order. A test waits for an item, never for a time.</summary>
internal sealed class Listener : IAsyncDisposable
{
    private readonly List<ChatItem> _items = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Listener(ChatClient client) : this(client.Events())
    {
    }

    public Listener(IAsyncEnumerable<ChatItem> events) => _reading = ReadAsync(events);

    public IReadOnlyList<ChatItem> Items
    {
        get
        {
            lock (_items)
            {
                return [.. _items];
            }
        }
    }

    /// <summary>The stream has ended.</summary>
    public Task Completion => _reading;

    public IEnumerable<long> Seqs(Conversation conversation) =>
        Items.OfType<ChatEvent>().Where(e => e.Conversation == conversation).Select(e => e.Seq);

    public IEnumerable<string> Contents(Conversation conversation) =>
        Items.OfType<MessageSent>().Where(e => e.Conversation == conversation).Select(e => e.Content);

    public async Task<T> ItemAsync<T>(Func<T, bool>? match = null) where T : ChatItem
    {
        await UntilAsync(items => items.OfType<T>().Any(item => match?.Invoke(item) != false), typeof(T).Name);
        return Items.OfType<T>().First(item => match?.Invoke(item) != false);
    }

    public Task EventAsync(Conversation conversation, long seq) =>
        ItemAsync<ChatEvent>(e => e.Conversation == conversation && e.Seq == seq);

    public async Task UntilAsync(Func<IReadOnlyList<ChatItem>, bool> condition, string what)
    {
        using var patience = new CancellationTokenSource(FaultServer.Patience);
        while (true)
        {
            Task arrival;
            lock (_items)
            {
                arrival = _arrival.Task;
            }

            if (condition(Items))
            {
                return;
            }

            try
            {
                await arrival.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Never came: {what}. Last items:\n  {string.Join("\n  ", Items.TakeLast(20))}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _reading;
        }
        catch (OperationCanceledException)
        {
            // The test has stopped the listener.
        }
        _stop.Dispose();
    }

    private async Task ReadAsync(IAsyncEnumerable<ChatItem> events)
    {
        await foreach (var item in events.WithCancellation(_stop.Token))
        {
            lock (_items)
            {
                _items.Add(item);
                _arrival.SetResult();
                _arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
