using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AspireChat.Client;

namespace AspireChat.Benchmarks.Latency;

/// <summary>
/// How long a message takes at a calm pace, from the send to its acknowledgement and to its delivery to a user on another node. Both users
/// connect through the gateway of a running system. Both clients run in this process, so one clock measures both times.
/// </summary>
internal static class LatencyBenchmark
{
    private const int Warmup = 20;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    public static async Task<int> RunAsync(Uri gateway, int messages)
    {
        using var http = new HttpClient { BaseAddress = gateway };
        var room = $"bench-{Guid.NewGuid():N}";
        await using var alice = await User.ConnectAsync(http, "alice", elsewhereThan: null);
        await using var bob = await User.ConnectAsync(http, "bob", elsewhereThan: alice.Node);
        await alice.Chat.JoinAsync(room);
        await bob.Chat.JoinAsync(room);

        var acks = new List<double>();
        var deliveries = new List<double>();
        using var timer = new PeriodicTimer(Pace, TimeProvider.System);
        for (var i = 0; i < Warmup + messages && await timer.WaitForNextTickAsync(); i++)
        {
            var content = $"{i} {new string('x', 190)}";
            var arrival = bob.ExpectAsync(content);
            var sent = Stopwatch.GetTimestamp();
            var accepted = alice.Chat.SendAsync(Conversation.Room(room), content);
            await accepted;
            var acked = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
            var delivered = Stopwatch.GetElapsedTime(sent, await arrival).TotalMilliseconds;
            if (i < Warmup)
            {
                continue;
            }

            acks.Add(acked);
            deliveries.Add(delivered);
        }

        Console.WriteLine($"latency: {messages} messages of 200 bytes at {1 / Pace.TotalSeconds:N0}/s, {alice.Node} to {bob.Node}, through {gateway}");
        Console.WriteLine(Machine.Describe());
        Console.WriteLine();
        Console.WriteLine("| | p50 | p99 |");
        Console.WriteLine("|---|---|---|");
        Console.WriteLine($"| ack | {Machine.Quantile(acks, 0.5):N1} ms | {Machine.Quantile(acks, 0.99):N1} ms |");
        Console.WriteLine($"| delivery on the other node | {Machine.Quantile(deliveries, 0.5):N1} ms | {Machine.Quantile(deliveries, 0.99):N1} ms |");
        return 0;
    }

    private sealed class User(ChatClient chat, string node) : IAsyncDisposable
    {
        private readonly Lock _lock = new();
        private string? _awaited;
        private TaskCompletionSource<long>? _arrival;

        public ChatClient Chat { get; } = chat;

        public string Node { get; } = node;

        public static async Task<User> ConnectAsync(HttpClient http, string name, string? elsewhereThan)
        {
            var user = $"{name}-{Guid.NewGuid():N}"[..20];
            var misses = new List<ChatClient>();
            try
            {
                for (var attempt = 0; attempt < 20; attempt++)
                {
                    var chat = new ChatClient(new ChatClientOptions { Gateway = http.BaseAddress!, TokenProvider = ct => TokenAsync(http, user, ct) });
                    var items = chat.Events().GetAsyncEnumerator();
                    await chat.ConnectAsync();
                    var node = await NodeAsync(items);
                    if (node == elsewhereThan)
                    {
                        misses.Add(chat);
                        continue;
                    }
                    var connected = new User(chat, node);
                    _ = connected.ReceiveAsync(items);
                    return connected;
                }
            }
            finally
            {
                // These connections were kept open until now, so that the gateway chose the other node.
                foreach (var miss in misses)
                {
                    await miss.DisposeAsync();
                }
            }
            throw new InvalidOperationException($"All twenty connections went to node {elsewhereThan}. Does the system have two nodes?");
        }

        /// <summary>The timestamp at which a message of this content arrives.</summary>
        public Task<long> ExpectAsync(string content)
        {
            lock (_lock)
            {
                _awaited = content;
                _arrival = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
                return _arrival.Task;
            }
        }

        public ValueTask DisposeAsync() => Chat.DisposeAsync();

        private static async Task<string> NodeAsync(IAsyncEnumerator<ChatItem> items)
        {
            while (await items.MoveNextAsync())
            {
                if (items.Current is ChatConnectionChanged { Node: { } node })
                {
                    return node;
                }
            }
            throw new InvalidOperationException("The client ended before it was connected.");
        }

        private async Task ReceiveAsync(IAsyncEnumerator<ChatItem> items)
        {
            while (await items.MoveNextAsync())
            {
                if (items.Current is not MessageSent message)
                {
                    continue;
                }

                var now = Stopwatch.GetTimestamp();
                lock (_lock)
                {
                    if (message.Content == _awaited)
                    {
                        _arrival?.TrySetResult(now);
                    }
                }
            }
        }

        private static async ValueTask<string> TokenAsync(HttpClient http, string user, CancellationToken cancellationToken)
        {
            using var answer = await http.PostAsJsonAsync("/dev/token", new JsonObject { ["user"] = user }, cancellationToken);
            answer.EnsureSuccessStatusCode();
            return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellationToken))!["token"]!;
        }
    }
}
