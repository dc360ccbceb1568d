using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using AspireChat.Client;

namespace AspireChat.Tests.Client;

/// <summary>
/// A client of the JavaScript library in a Node process, in one room: <c>web/tests/participant.mjs</c>. What its application sees becomes
/// the items that a C# client would give, so that one ledger judges both. Thread-safe.
/// </summary>
internal sealed class NodeParticipant : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Conversation _room;
    private readonly List<ChatItem> _items = [];
    private readonly TaskCompletionSource<IReadOnlyList<Accepted>> _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<int> _arrivals = Channel.CreateUnbounded<int>();
    private readonly Task<string> _errors;
    private readonly Task _reading;

    private NodeParticipant(Process process, Conversation room)
    {
        (_process, _room) = (process, room);
        _errors = process.StandardError.ReadToEndAsync();
        _reading = ReadAsync();
    }

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

    /// <summary>Its connection when it joined was at a node itself, by a ticket.</summary>
    public bool IsPastTheGateway { get; private set; }

    /// <param name="gateway">Where it connects.</param>
    /// <param name="user">Who it is.</param>
    /// <param name="room">The room that it joins.</param>
    /// <param name="speed">How many times as fast its waits pass; 1 also asks the gateway for tokens.</param>
    /// <param name="useTickets">Whether it may connect past the gateway.</param>
    public static async Task<NodeParticipant> StartAsync(Uri gateway, string user, string room, int speed, bool useTickets = false)
    {
        var script = Path.Combine(RepositoryRoot(), "web", "tests", "participant.mjs");
        var start = new ProcessStartInfo("node")
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            ArgumentList =
            {
                "--experimental-websocket", "--disable-warning=ExperimentalWarning", script, gateway.ToString().TrimEnd('/'), user, room,
                $"{speed}", useTickets ? "tickets" : "",
            },
        };
        var participant = new NodeParticipant(Process.Start(start)!, Conversation.Room(room));
        await participant.UntilAsync(items => items.OfType<RoomJoined>().Any(), $"{user} has joined {room}");
        return participant;
    }

    /// <summary>Sends a message of one line.</summary>
    public async Task SendAsync(string content)
    {
        await _process.StandardInput.WriteLineAsync(content);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Sends no more; completes when all that was sent is acknowledged.</summary>
    public async Task<IReadOnlyList<Accepted>> EndAsync()
    {
        await SendAsync("end");
        return await _sent.Task.WaitAsync(FaultServer.Patience);
    }

    public async Task UntilAsync(Func<IReadOnlyList<ChatItem>, bool> condition, string what)
    {
        using var patience = new CancellationTokenSource(FaultServer.Patience);
        while (!condition(Items))
        {
            try
            {
                await _arrivals.Reader.ReadAsync(patience.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
            {
                Assert.Fail($"Never came: {what}. Last items:\n  {string.Join("\n  ", Items.TakeLast(20))}\n" +
                    (_errors.IsCompletedSuccessfully ? await _errors : ""));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _reading;
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "AspireChat.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder.FullName;
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var (kind, value) = JsonNode.Parse(line)!.AsObject().Single();
            if (kind == "sent")
            {
                _sent.TrySetResult([.. value!.AsArray().Select(each => AcceptedOf(each!))]);
            }
            else
            {
                IsPastTheGateway |= (bool?)(value as JsonObject)?["ticket"] is true;
                lock (_items)
                {
                    _items.Add(ItemOf(kind, value!));
                }

                _arrivals.Writer.TryWrite(0);
            }
        }
        _sent.TrySetException(new InvalidOperationException($"The participant ended: {await _errors}"));
        _arrivals.Writer.TryComplete();
    }

    private ChatItem ItemOf(string kind, JsonNode value) => kind switch
    {
        "joined" => new RoomJoined(_room, (string)value["epoch"]!, (long)value["head"]!, [], 0, [], 0),
        "reloaded" => new Reloaded(_room, (string)value["epoch"]!, (long)value["head"]!),
        "lost" => new Gap(_room, (long)value["from"]!, (long)value["to"]!),
        "event" => new MessageSent(_room)
        {
            Id = (string)value["id"]!, Seq = (long)value["seq"]!, Epoch = (string?)value["epoch"], From = (string)value["from"]!,
            Content = (string)value["content"]!, Timestamp = default,
        },
        _ => throw new JsonException($"The participant said {kind}."),
    };

    private Accepted AcceptedOf(JsonNode sent) => new(
        _room, (string)sent["nonce"]!, (string)sent["id"]!, (long)sent["seq"]!, (string)sent["epoch"]! is { Length: > 0 } epoch ? epoch : null,
        default, (bool)sent["duplicate"]!);
}
