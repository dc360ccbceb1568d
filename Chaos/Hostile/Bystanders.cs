using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Traffic;

namespace AspireChat.Chaos.Hostile;

/// <summary>
/// Ordinary users on both nodes, in one room and in direct conversations across the nodes. Each sends four times a second and reads a page of history
/// twice a second, and everything is measured. One that loses its connection comes back, as the client library would, and that is an error.
/// </summary>
internal sealed class Bystanders : IAsyncDisposable
{
    public const string Acknowledged = "send → ack";
    public const string Delivered = "ack → delivery on the other node";
    public const string Page = "history page";

    private const int Users = 8;
    private const int Tries = 60;
    private const int MostMisses = 4;

    private static readonly TimeSpan SendEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan HistoryPatience = TimeSpan.FromSeconds(60);

    /// <summary>An answer that takes longer is no answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Uri _gateway;
    private readonly string _hall;
    private readonly HttpClient _http;
    private readonly Durations _durations = new();
    private readonly ConcurrentDictionary<string, Sent> _sent = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly CancellationTokenSource _end = new();
    private readonly CancellationTokenSource _quiet = new();
    private readonly List<Seat> _seats = [];
    private readonly List<Task> _running = [];
    private volatile bool _measuring;

    private Bystanders(Uri gateway, string hall)
    {
        _gateway = gateway;
        _hall = hall;
        _http = new HttpClient(OwnAddress.Handler()) { BaseAddress = gateway, Timeout = Patience };
    }

    /// <summary>Durations of what was done while it was measured; one that failed counts with the time it was waited for.</summary>
    public Durations Durations => _durations;

    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Everybody is in, four on each of two nodes, and chats.</summary>
    public static async Task<Bystanders> EnterAsync(Uri gateway, string hall, CancellationToken cancellationToken)
    {
        var all = new Bystanders(gateway, hall);
        try
        {
            for (var i = 0; i < Users; i++)
            {
                var seat = new Seat { Number = i, User = $"{hall}-{i}" };
                seat.Token = await all.TokenAsync(seat.User, cancellationToken);
                all._seats.Add(seat);
                await all.SitAsync(seat, cancellationToken);
            }
            all._running.AddRange(all._seats.SelectMany(seat => new[]
            {
                Task.Run(() => all.ListenAsync(seat)), Task.Run(() => all.SpeakAsync(seat)), Task.Run(() => all.BrowseAsync(seat)),
            }));
            return all;
        }
        catch
        {
            await all.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on what is begun counts.</summary>
    public void Measure() => _measuring = true;

    /// <summary>Nobody sends any more. What is under way is waited for; what then is not answered is an error.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await _quiet.CancelAsync();
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < Patience && _sent.Values.Any(sent => !sent.IsDone))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }

        await _end.CancelAsync();
        await Task.WhenAll(_running);
        foreach (var sent in _sent.Values)
        {
            var now = TimeProvider.System.GetTimestamp();
            _durations.Add(Acknowledged, Between(sent.At, sent.AcknowledgedAt == 0 ? now : sent.AcknowledgedAt));
            if (sent.AcknowledgedAt == 0)
            {
                _errors.Enqueue("a send was not acknowledged");
                continue;
            }
            foreach (var delivered in sent.Deliveries)
            {
                _durations.Add(Delivered, Between(sent.AcknowledgedAt, delivered));
            }

            if (sent.Deliveries.Count < sent.Expected)
            {
                _durations.Add(Delivered, Between(sent.AcknowledgedAt, now));
                _errors.Enqueue("a message did not come to everybody");
            }
        }
    }

    /// <summary>After <see cref="FinishAsync"/>: every message to the room that was acknowledged stands in its history. Each that does not is an error.</summary>
    public async Task CheckHistoryAsync(CancellationToken cancellationToken)
    {
        var missing = _sent.Where(sent => sent.Value is { IsRoom: true, AcknowledgedAt: not 0 }).Select(sent => sent.Key).ToHashSet();
        var began = TimeProvider.System.GetTimestamp();
        for (var after = "0"; after is not null && missing.Count > 0;)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/rooms/{_hall}/messages?limit=200&after={Uri.EscapeDataString(after)}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _seats[0].Token);
            try
            {
                using var answer = await _http.SendAsync(request, cancellationToken);
                answer.EnsureSuccessStatusCode();
                var page = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
                foreach (var item in page.GetProperty("items").EnumerateArray())
                {
                    // An attacker's reactions to the room's messages have none.
                    missing.Remove(item.TryGetProperty("content", out var content) ? content.GetString() ?? "" : "");
                }

                after = page.GetProperty("next").GetString();
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested
                && e is HttpRequestException or OperationCanceledException
                && TimeProvider.System.GetElapsedTime(began) < HistoryPatience)
            {
                // What was started again comes back.
                await Task.Delay(ReadEvery, TimeProvider.System, cancellationToken);
            }
        }

        foreach (var _ in missing)
        {
            _errors.Enqueue("an acknowledged message is lost");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _quiet.CancelAsync();
        await _end.CancelAsync();
        await Task.WhenAll(_running);
        foreach (var seat in _seats)
        {
            seat.Socket?.Dispose();
        }

        _http.Dispose();
        _end.Dispose();
        _quiet.Dispose();
    }

    private async Task<string> TokenAsync(string user, CancellationToken cancellationToken)
    {
        using var answer = await _http.PostAsJsonAsync("/dev/token", new { user, expiresIn = 24 * 3600 }, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("token").GetString()!;
    }

    /// <summary>Connects to the node whose turn it is: users with even numbers to one, the others to the other.</summary>
    private async Task SitAsync(Seat seat, CancellationToken cancellationToken)
    {
        List<RawSocket> misses = [];
        try
        {
            for (var i = 0; i < Tries && seat.Socket is null; i++)
            {
                if (await RawSocket.ConnectAsync(_gateway, seat.Token, cancellationToken, _http) is not { } socket)
                {
                    continue;
                }

                var node = socket.Welcome.GetProperty("node").GetString()!;
                var (own, other) = (seat.Number % 2, 1 - (seat.Number % 2));
                if (_seats.Any(taken => taken.Node == node && taken.Number % 2 == other)
                    || _seats.Any(taken => taken.Node.Length > 0 && taken.Node != node && taken.Number % 2 == own))
                {
                    // Held open meanwhile: the gateway chooses the node with fewer connections. It may not know the other node yet, so a few misses
                    // end the search for a moment.
                    misses.Add(socket);
                    if (misses.Count == MostMisses)
                    {
                        misses.ForEach(static miss => miss.Dispose());
                        misses.Clear();
                        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
                    }
                    continue;
                }
                seat.Node = node;
                seat.Socket = socket;
                await socket.SendAsync(new { type = "join", room = _hall });
            }
            if (seat.Socket is null)
            {
                throw new InvalidOperationException($"{seat.User} found no place.");
            }
        }
        finally
        {
            foreach (var miss in misses)
            {
                miss.Dispose();
            }
        }
    }

    private async Task ListenAsync(Seat seat)
    {
        try
        {
            while (true)
            {
                while (await seat.Socket!.ReadAsync(_end.Token) is { } frame)
                {
                    Heard(seat, frame);
                }

                Failed($"a connection was lost ({seat.Socket.CloseStatus})");
                seat.Socket.Dispose();
                while (await RawSocket.ConnectAsync(_gateway, seat.Token, _end.Token, _http) is var socket)
                {
                    if (socket is not null)
                    {
                        seat.Socket = socket;
                        seat.Node = socket.Welcome.GetProperty("node").GetString()!;
                        break;
                    }
                    await Task.Delay(SendEvery, TimeProvider.System, _end.Token);
                }
                await seat.Socket.SendAsync(new { type = "join", room = _hall });
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The end.
        }
    }

    private void Heard(Seat seat, JsonElement frame)
    {
        var now = TimeProvider.System.GetTimestamp();
        switch (frame.GetProperty("type").GetString())
        {
            case "ack" when _sent.TryGetValue(frame.GetProperty("nonce").GetString()!, out var sent):
                sent.AcknowledgedAt = now;
                break;
            case "room" or "dm" when _sent.TryGetValue(frame.GetProperty("content").GetString()!, out var sent) && sent.Node != seat.Node:
                sent.Deliveries.Add(now);
                break;
            case "error":
                Failed($"refused: {frame.GetProperty("code").GetString()}");
                break;
        }
    }

    private async Task SpeakAsync(Seat seat)
    {
        try
        {
            await Task.Delay(SendEvery * seat.Number / Users, TimeProvider.System, _quiet.Token);
            for (var i = 0; ; i++)
            {
                var nonce = $"{_hall}-{seat.Number}-{i}";
                var partner = _seats[(seat.Number + 1) % Users];
                var isRoom = i % 2 == 0;
                if (_measuring)
                {
                    _sent[nonce] = new Sent(TimeProvider.System.GetTimestamp(), seat.Node, isRoom, isRoom ? Users / 2 : 1);
                }

                await seat.Socket!.SendAsync(isRoom
                    ? new { type = "room", room = _hall, to = (string?)null, content = nonce, nonce }
                    : new { type = "dm", room = (string?)null!, to = (string?)partner.User, content = nonce, nonce });
                await Task.Delay(SendEvery, TimeProvider.System, _quiet.Token);
            }
        }
        catch (OperationCanceledException) when (_quiet.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task BrowseAsync(Seat seat)
    {
        try
        {
            await Task.Delay(ReadEvery * seat.Number / Users, TimeProvider.System, _quiet.Token);
            while (true)
            {
                var began = TimeProvider.System.GetTimestamp();
                var measured = _measuring;
                try
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/rooms/{_hall}/messages?limit=50");
                    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", seat.Token);
                    using var answer = await _http.SendAsync(request, _end.Token);
                    if (!answer.IsSuccessStatusCode)
                    {
                        Failed($"a history page was answered {(int)answer.StatusCode}");
                    }
                }
                catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !_end.IsCancellationRequested))
                {
                    Failed("a history page was not answered");
                }
                if (measured)
                {
                    _durations.Add(Page, Between(began, TimeProvider.System.GetTimestamp()));
                }

                await Task.Delay(ReadEvery, TimeProvider.System, _quiet.Token);
            }
        }
        catch (OperationCanceledException) when (_quiet.IsCancellationRequested)
        {
            // The end.
        }
    }

    private void Failed(string what)
    {
        if (_measuring)
        {
            _errors.Enqueue(what);
        }
    }

    private static TimeSpan Between(long from, long to) => to <= from ? TimeSpan.Zero : TimeProvider.System.GetElapsedTime(from, to);

    private sealed class Seat
    {
        public int Number { get; init; }

        public string User { get; init; } = "";

        public string Token { get; set; } = "";

        public string Node { get; set; } = "";

        public RawSocket? Socket { get; set; }
    }

    /// <param name="At">When it was sent.</param>
    /// <param name="Node">Of its sender.</param>
    /// <param name="IsRoom">To the room, not to a user.</param>
    /// <param name="Expected">How many on the other node must get it.</param>
    private sealed record Sent(long At, string Node, bool IsRoom, int Expected)
    {
        private long _acknowledgedAt;

        public long AcknowledgedAt
        {
            get => Volatile.Read(ref _acknowledgedAt);
            set => Volatile.Write(ref _acknowledgedAt, value);
        }

        public ConcurrentBag<long> Deliveries { get; } = [];

        public bool IsDone => AcknowledgedAt != 0 && Deliveries.Count >= Expected;
    }
}
