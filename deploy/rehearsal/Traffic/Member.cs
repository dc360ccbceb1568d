using System.Collections.Concurrent;
using AspireChat.Client;

namespace AspireChat.Traffic;

/// <summary>One client: sends at its pace, keeps what it saw, and how long each of its connections took to come back.</summary>
internal sealed class Member : IAsyncDisposable
{
    private readonly ChatClient _client;
    private readonly Task _watching;
    private readonly string _user;
    private long _leftAt;
    private int? _code;

    public Member(Uri gateway, string user, string room, string key)
    {
        _user = user;
        Room = Conversation.Room(room);
        _client = new ChatClient(new ChatClientOptions
        {
            Gateway = gateway,
            TokenProvider = _ => ValueTask.FromResult(Tokens.For(user, key)),
            FindDirectConversations = false,
            // A client that lost its connection tries again soon: this measures the servers, not the patience of the clients.
            MaxReconnectDelay = TimeSpan.FromSeconds(1),
        });
        _watching = Task.Run(WatchAsync);
    }

    public Conversation Room { get; }

    public ConcurrentQueue<SendReceipt> Acknowledged { get; } = [];

    public ConcurrentDictionary<long, string> Sent { get; } = [];

    public ConcurrentQueue<(long Seq, string Content)> Seen { get; } = [];

    public ConcurrentQueue<(int? Code, TimeSpan Away)> Returns { get; } = [];

    public int Reloads { get; private set; }

    /// <summary>Up to this seq the room is in the database, as the server told this member.</summary>
    public long Durable { get; private set; }

    public async Task JoinAsync()
    {
        await _client.ConnectAsync();
        await _client.JoinAsync(Room.RoomId!);
    }

    public async Task SendAsync(TimeSpan interval, TimeSpan first, CancellationToken enough)
    {
        List<Task> underWay = [];
        try
        {
            await Task.Delay(first, TimeProvider.System, enough);
            using var pace = new PeriodicTimer(interval);
            for (var i = 0; await pace.WaitForNextTickAsync(enough); i++)
            {
                underWay.Add(SendOneAsync($"{_user} {i}"));
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }

        await Task.WhenAll(underWay);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _watching;
    }

    private async Task SendOneAsync(string content)
    {
        var accepted = await _client.SendAsync(Room, content);
        Sent[accepted.Seq] = content;
        Acknowledged.Enqueue(accepted);
    }

    private async Task WatchAsync()
    {
        await foreach (var item in _client.Events())
        {
            switch (item)
            {
                case MessageSent message:
                    Seen.Enqueue((message.Seq, message.Content));
                    break;
                case EventsDurable moved:
                    Durable = moved.Seq;
                    break;
                case ConversationReset:
                    Reloads++;
                    break;
                case ChatConnectionChanged { State: ChatConnectionState.Reconnecting } lost when _leftAt == 0:
                    (_leftAt, _code) = (TimeProvider.System.GetTimestamp(), lost.CloseCode);
                    break;
                case ChatConnectionChanged { State: ChatConnectionState.Connected } when _leftAt != 0:
                    Returns.Enqueue((_code, TimeProvider.System.GetElapsedTime(_leftAt)));
                    _leftAt = 0;
                    break;
            }
        }
    }
}
