using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace AspireChat.Chaos.Hostile;

/// <summary>
/// One attacking user, with everything a user may have, and friends who prepare the ground. It knows the system only as a stranger does: by the
/// gateway's address. Thread-safe.
/// </summary>
/// <param name="hall">The room of the bystanders.</param>
/// <param name="user">A name that nobody else has.</param>
internal sealed class Attacker(Uri gateway, string hall, string user) : IDisposable
{
    /// <summary>Connections that a user may have: the limit of a node on each of two.</summary>
    public const int Connections = 40;

    private const int EventBurst = 40;

    /// <summary>Short enough to be a nuisance, long enough that not every attack is one of reconnects.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<string, string> _tokens = [];
    private readonly SemaphoreSlim _gate = new(1);
    private long _work;

    public Uri Gateway { get; } = gateway;

    public string Hall { get; } = hall;

    public string User { get; } = user;

    /// <summary>Not limited in its connections.</summary>
    public HttpClient Http { get; } = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false })
    {
        BaseAddress = gateway, Timeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>Writes and calls that went out: a row whose attacker did little says little.</summary>
    public long Work => Volatile.Read(ref _work);

    public void Worked() => Interlocked.Increment(ref _work);

    /// <summary>The attacker's other names: a room, a friend.</summary>
    public string Name(string suffix) => $"{User}-{suffix}";

    public async Task<string> TokenAsync(string user, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (!_tokens.TryGetValue(user, out var token))
            {
                using var answer = await Http.PostAsJsonAsync("/dev/token", new { user, expiresIn = 24 * 3600 }, cancellationToken);
                answer.EnsureSuccessStatusCode();
                token = (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("token").GetString()!;
                _tokens.Add(user, token);
            }
            return token;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>A connection of the attacker or of a friend, however often it must be tried.</summary>
    public async Task<HostileSocket> ConnectAsync(CancellationToken cancellationToken, string? friend = null)
    {
        var token = await TokenAsync(friend ?? User, cancellationToken);
        while (true)
        {
            if (await HostileSocket.ConnectAsync(Gateway, token, cancellationToken) is { } socket)
            {
                return socket;
            }

            await Task.Delay(RetryDelay, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Connects and joins; the connection may be cut again if the user has too many.</summary>
    public async Task<HostileSocket> JoinAsync(string room, CancellationToken cancellationToken, string? friend = null)
    {
        while (true)
        {
            var socket = await ConnectAsync(cancellationToken, friend);
            try
            {
                await socket.SendAsync(new { type = "join", room }, cancellationToken);
                if (await socket.ExpectAsync("joined", cancellationToken) is not null)
                {
                    return socket;
                }
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut at once.
            }
            socket.Dispose();
            await Task.Delay(RetryDelay, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>
    /// Keeps connections open and writes on each as fast as the server reads. A connection that the server ends is replaced at once, as an
    /// attacker does.
    /// </summary>
    /// <param name="batch">The bytes of the next write of connection number <c>i</c>.</param>
    /// <param name="room">Joined first.</param>
    /// <param name="reads">False: what the server sends is never read.</param>
    public Task FloodAsync(
        int connections, Func<int, ReadOnlyMemory<byte>> batch, CancellationToken stop, string? room = null, bool reads = true,
        TimeSpan pause = default) =>
        EachAsync(connections, async i =>
        {
            using var socket = room is null ? await ConnectAsync(stop) : await JoinAsync(room, stop);
            var reading = reads ? socket.DrainAsync(stop) : Task.CompletedTask;
            try
            {
                while (!reads || !reading.IsCompleted)
                {
                    await socket.WriteAsync(batch(i), stop);
                    Worked();
                    await Task.Delay(pause, TimeProvider.System, stop);
                }
            }
            catch (Exception e) when (HostileSocket.IsEnd(e))
            {
                // Cut; the next one comes.
            }
            await Task.Delay(RetryDelay, TimeProvider.System, stop);
        }, stop);

    /// <summary>Calls as fast as the answers come, so many at once.</summary>
    /// <param name="request">Makes the next call; it gets the attacker's token unless it has one.</param>
    public async Task CallAsync(int parallel, Func<int, HttpRequestMessage> request, CancellationToken stop)
    {
        var token = new AuthenticationHeaderValue("Bearer", await TokenAsync(User, stop));
        var number = 0;
        await EachAsync(parallel, async _ =>
        {
            try
            {
                using var call = request(Interlocked.Increment(ref number));
                call.Headers.Authorization ??= token;
                using var answer = await Http.SendAsync(call, stop);
                Worked();
            }
            catch (HttpRequestException)
            {
                // Cut.
            }
        }, stop);
    }

    /// <summary>Runs so many loops side by side until the end.</summary>
    public static Task EachAsync(int count, Func<int, Task> action, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(
            async () =>
            {
                while (true)
                {
                    stop.ThrowIfCancellationRequested();
                    try
                    {
                        await action(i);
                    }
                    catch (Exception e) when (HostileSocket.IsEnd(e))
                    {
                        // The server has cut a connection, as it may.
                    }
                }
            },
            stop)));

    /// <summary>A room that friends have filled with messages of so many characters each; the attacker is no member.</summary>
    public async Task<string> FilledRoomAsync(int messages, int characters, CancellationToken cancellationToken, string character = "€")
    {
        var room = Name("filled");
        var content = string.Concat(Enumerable.Repeat(character, characters));
        var friends = (messages + EventBurst - 1) / EventBurst;
        var left = messages;
        foreach (var friend in Enumerable.Range(0, friends).Select(i => Name($"friend{i}")))
        {
            using var socket = await JoinAsync(room, cancellationToken, friend);
            for (var i = 0; i < EventBurst && left > 0; i++, left--)
            {
                await socket.SendAsync(new { type = "room", room, content, nonce = $"f{i}" }, cancellationToken);
                if (await socket.ExpectAsync("ack", cancellationToken) is null)
                {
                    throw new InvalidOperationException("A friend who fills the room was cut.");
                }
            }
        }
        return room;
    }

    public void Dispose()
    {
        Http.Dispose();
        _gate.Dispose();
    }
}
