using System.Collections.Concurrent;
using AspireChat.Client;
using AspireChat.Contracts.Frames;
using AspireChat.Tests.Client;

namespace AspireChat.Tests.Acceptance;

/// <summary>A deployment replaces every process, one after another, while people chat.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
[Trait("Needs", "AppHost")]
public sealed class RollingRestartTests(ChatSystem system) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>The parts that a test has broken work again before the next test begins.</summary>
    public Task DisposeAsync() => system.RecoveredAsync();

    [Fact]
    public async Task Restarting_every_service_in_turn_loses_doubles_and_swaps_nothing()
    {
        var room = Conversation.Room(ChatSystem.Unique("room"));
        var clients = Enumerable.Range(0, 4).Select(i => Of(ChatSystem.Unique($"user{i}"))).ToList();
        var listeners = clients.Select(client => new Listener(client)).ToList();
        foreach (var client in clients)
        {
            await client.ConnectAsync().WaitAsync(ChatSocket.Patience);
            await client.JoinAsync(room.RoomId!).WaitAsync(ChatSocket.Patience);
        }
        using var enough = new CancellationTokenSource();
        var sent = new ConcurrentQueue<SendReceipt>();
        var senders = clients.Select(client => SendAsync(client, room, sent, enough.Token)).ToList();

        foreach (var instance in new[] { "presence", "persistence", "connection", "gateway" }.SelectMany(system.Host.Instances))
        {
            await system.RestartAsync(instance);
            var count = sent.Count;
            await ChatSystem.EventuallyAsync(() => Task.FromResult(sent.Count), now => now >= count + 20);
        }
        await enough.CancelAsync();
        await Task.WhenAll(senders).WaitAsync(ChatSocket.Patience);

        var head = sent.Max(accepted => accepted.Seq);
        Assert.Equal(head, sent.Count);
        foreach (var listener in listeners)
        {
            await listener.EventAsync(room, head);
            Assert.Equal(SocketFaultTests.Range(1, head), listener.Seqs(room));
            // A planned restart does not look like a crash: each connection ended with the code that asks the client to come back.
            Assert.All(
                listener.Items.OfType<ChatConnectionChanged>()
                    .Where(change => change is { State: ChatConnectionState.Reconnecting, CloseCode: > 0 }),
                change => Assert.Equal(CloseCodes.Restart, change.CloseCode));
            await listener.DisposeAsync();
        }
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    private ChatClient Of(string user) => new(new ChatClientOptions
    {
        Gateway = system.Gateway,
        TokenProvider = async _ => await system.TokenAsync(user),
    });

    private static async Task SendAsync(ChatClient client, Conversation room, ConcurrentQueue<SendReceipt> sent, CancellationToken enough)
    {
        for (var i = 0; !enough.IsCancellationRequested; i++)
        {
            var sending = client.SendAsync(room, $"{i}", cancellationToken: CancellationToken.None);
            sent.Enqueue(await sending.WaitAsync(ChatSocket.Patience, CancellationToken.None));
            // Four senders at full speed would exceed the limit of events per user.
            await Task.Delay(TimeSpan.FromMilliseconds(60), TimeProvider.System, CancellationToken.None);
        }
    }
}
