using System.Diagnostics;
using System.Globalization;
using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Stack;
using AspireChat.Chaos.Traffic;
using AspireChat.Chaos.Webhooks;
using AspireChat.Client;
using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;

namespace AspireChat.Chaos;

/// <summary>One run: it starts the system and its users, injects the faults, waits for quiet, and checks every promise.</summary>
internal sealed class ChaosRun
{
    private const int RoomsPerClient = 3;
    private const int Observers = 2;

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan HistoryPatience = TimeSpan.FromMinutes(10);

    private readonly ChaosOptions _options;
    private readonly Action<string> _say;
    private readonly Scenario _scenario;
    private readonly Ledger _ledger = new();
    private readonly List<SeededClient> _clients = [];
    private readonly List<WireObserver> _observers = [];
    private readonly List<Task> _observing = [];
    private readonly string _run = Guid.NewGuid().ToString("N")[..6];
    private TimeSpan _storm;

    public ChaosRun(ChaosOptions options, Action<string> say)
    {
        _say = say;
        _options = options.Command == "storm"
            ? options with { Faults = 0, Events = 0, Storm = options.Storm > 0 ? options.Storm : 1_000 }
            : options;
        _scenario = options.Command switch
        {
            "flushall" => new FlushAll(),
            "outage" => new Outage(),
            _ => new RandomFaults(_options),
        };
    }

    public async Task<RunReport> RunAsync(CancellationToken cancellationToken)
    {
        var minutes = _options.Minutes.ToString(CultureInfo.InvariantCulture);
        _say($"{_options.Replay}, at most {minutes} min");
        var began = Stopwatch.StartNew();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartPatience);
        await using var receiver = _options.Webhooks > 0 ? await FaultyReceiver.StartAsync(_options.Seed, _ledger) : null;
        await using var stack = await ChatStack.StartAsync(patience.Token, receiver is null ? [] : WebhookSettings(receiver.Url));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var http = await ConnectAllAsync(stack, end.Token, patience.Token);
        var canaries = Connector(stack, await TokensAsync(stack, CanaryUsers(), patience.Token));
        await using var canary = await Canary.StartAsync(canaries, $"canary-{_run}", patience.Token);
        _say($"{_options.Clients} clients and {Observers} observers have joined after {began.Elapsed.TotalSeconds:0} s");

        began.Restart();
        if (_options.Webhooks > 1)
        {
            receiver?.Begin();
        }

        var finished = await TroubleAsync(stack, canary, cancellationToken);
        var traffic = began.Elapsed;
        await QuietAsync(stack, cancellationToken);
        if (_options.Storm > 0)
        {
            _storm = await Storm.RunAsync(stack, _options.Storm, _ledger, cancellationToken);
        }

        var check = await CheckAsync(stack, http, receiver, cancellationToken);
        await end.CancelAsync();
        await Task.WhenAll(_observing);
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        await http.DisposeAsync();
        return new RunReport(_options, _ledger, _scenario, finished, check, traffic, _storm, receiver);
    }

    private async Task<ChatClient> ConnectAllAsync(ChatStack stack, CancellationToken end, CancellationToken cancellationToken)
    {
        var traffic = new Traffic.Traffic(_ledger, () => _scenario.Current);
        var users = Enumerable.Range(0, _options.Clients).Select(i => $"c{i}-{_run}").ToList();
        var watchers = Enumerable.Range(0, Observers).Select(i => $"o{i}-{_run}").ToList();
        var tokens = await TokensAsync(stack, [.. users, .. watchers], cancellationToken);
        var direct = Connector(stack, tokens);
        for (var i = 0; i < users.Count; i++)
        {
            // The rooms and the direct conversations form a ring: every client shares one with others, and none shares all.
            var conversations = Enumerable.Range(0, Math.Min(RoomsPerClient, _options.Rooms))
                .Select(k => Conversation.Room(Room((i + k) % _options.Rooms)))
                .Concat(Enumerable.Range(0, _options.Directs).Select(k => Conversation.With(users[Neighbour(i, k)])))
                .Where(conversation => conversation.User != users[i])
                .Distinct().ToList();
            var client = i % 4 == 0 ? direct(users[i]) : Connector(stack, tokens, throughLink: true)(users[i]);
            _clients.Add(new SeededClient(client, users[i], conversations, unchecked((_options.Seed * 7919) + i), traffic));
        }
        foreach (var client in _clients)
        {
            await client.ConnectAsync(cancellationToken);
        }

        var http = direct(watchers[0]);
        var rooms = Enumerable.Range(0, _options.Rooms).Select(Room).ToList();
        for (var i = 0; i < Observers; i++)
        {
            var gateway = i % 2 == 0 ? stack.Gateway : stack.GatewayThroughLink;
            var observer = new WireObserver(gateway, tokens[watchers[i]], http, watchers[i], rooms, traffic);
            _observers.Add(observer);
            _observing.Add(observer.RunAsync(end));
            await observer.Begun.WaitAsync(cancellationToken);
        }
        return http;
    }

    /// <summary>The nearest clients on the ring first, alternately to the right and to the left.</summary>
    private int Neighbour(int client, int number)
    {
        var steps = (number / 2) + 1;
        return (client + (number % 2 == 0 ? steps : _options.Clients * steps - steps)) % _options.Clients;
    }

    /// <summary>False when the time was up before all faults and events were done.</summary>
    private async Task<bool> TroubleAsync(ChatStack stack, Canary canary, CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(TimeSpan.FromMinutes(_options.Minutes));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var finished = true;
        var sending = Task.WhenAll(
        [
            .. _clients.Select(client => client.SendAsync(_options.Rate / _clients.Count, stop.Token)),
            .. _observers.Select(observer => observer.SendAsync(stop.Token, abort.Token)),
        ]);
        using var progressing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var progress = ProgressAsync(progressing.Token);
        try
        {
            await _scenario.RunAsync(new Scene(stack, canary, _ledger, _options, Views, _say), bound.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            finished = false;
            _say($"the time is up: {_scenario.Done} faults, {_ledger.Count} events");
        }
        await progressing.CancelAsync();
        await progress;

        // No new sends begin. Those under way must be answered now.
        await stop.CancelAsync();
        abort.CancelAfter(QuietPatience);
        try
        {
            await sending.WaitAsync(QuietPatience, TimeProvider.System, cancellationToken);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(QuietPatience);
            while (_clients.Any(client => client.Unacknowledged > 0))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, patience.Token);
            }
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            foreach (var client in _clients.Where(client => client.Unacknowledged > 0))
            {
                var text = $"{client.User} still waits for {client.Unacknowledged} answers";
                _ledger.Findings.Add(Breach.Unanswered, text, client.Unacknowledged);
            }
        }
        foreach (var observer in _observers.Where(observer => observer.Waiting > 0))
        {
            _ledger.Findings.Add(Breach.Unanswered, $"an observer still waits for {observer.Waiting} answers", observer.Waiting);
        }

        return finished;
    }

    /// <summary>Waits until every reader is at the head and every event is in the database.</summary>
    private async Task QuietAsync(ChatStack stack, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(QuietPatience);
        await using var redis = await stack.RedisAsync();
        try
        {
            while (!await SettledAsync())
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _say("the system did not become quiet; the check says what is missing");
        }
        var buried = await ChatStack.BuriedAsync(redis.GetDatabase());
        if (buried > 0)
        {
            _ledger.Findings.Add(Breach.Buried, $"{buried} events are in dead letters", buried);
        }

        async Task<bool> SettledAsync()
        {
            foreach (var group in Views.GroupBy(view => view.Conversation))
            {
                if (!ConversationKey.TryParse(group.Key, out var key))
                {
                    continue;
                }

                var state = await redis.GetDatabase().HashGetAsync(
                    RedisKeys.Conversation(key), [ConversationFields.Head, ConversationFields.Durable]);
                var (head, durable) = ((long)state[0], (long)state[1]);
                if (head != durable || group.Any(view => view.Begun && (view.Last < head || _ledger.IsWiped(view.Epoch))))
                {
                    return false;
                }
            }
            return true;
        }
    }

    private async Task<LedgerCheck> CheckAsync(
        ChatStack stack, ChatClient http, FaultyReceiver? receiver, CancellationToken cancellationToken)
    {
        var conversations = _ledger.Views.Select(view => view.Conversation).Distinct().ToList();
        var stored = await stack.StoredAsync(conversations, cancellationToken);
        var check = new LedgerCheck(_ledger, stored);
        if (receiver is not null)
        {
            await receiver.HealAsync();
            await ToldAsync(stack, cancellationToken);
            receiver.Calls.Check(stored);
        }

        check.Run();
        _scenario.Check(check);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(HistoryPatience);
        // Any user may read a room. A direct conversation is read by both of its users.
        var rooms = Enumerable.Range(0, _options.Rooms)
            .Select(room => (Reader: http, Conversation: Conversation.Room(Room(room)), ConversationKey.Room(Room(room)).Value));
        var directs = _clients.SelectMany(client =>
            client.Directs.Select(direct => (client.Client, direct.Conversation, direct.View.Conversation)));
        foreach (var (reader, conversation, key) in rooms.Concat(directs))
        {
            check.CheckHistory(key, await HistoryRepair.AllAsync(reader, conversation, patience.Token));
        }

        return check;
    }

    /// <summary>Waits until nothing waits for a webhook any more.</summary>
    private async Task ToldAsync(ChatStack stack, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(QuietPatience);
        try
        {
            while (await stack.UntoldAsync(patience.Token) > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _say("events still wait for the webhook; the check says which");
        }
    }

    private static string[] WebhookSettings(string url) =>
    [
        "Webhooks:AllowPrivate=true", $"Webhooks:0:Url={url}", $"Webhooks:0:Secret={FaultyReceiver.Secret}", "Webhooks:Timeout=00:00:02",
        "Webhooks:FirstPause=00:00:00.2", "Webhooks:LongestPause=00:00:02",
    ];

    private async Task ProgressAsync(CancellationToken stop)
    {
        var began = Stopwatch.StartNew();
        try
        {
            while (true)
            {
                await Task.Delay(ProgressEvery, TimeProvider.System, stop);
                var current = _scenario.Current is { Length: > 0 } fault ? $" · now {fault}" : "";
                var faults = _options.Command == "run" ? $"{_scenario.Done}/{_options.Faults}" : $"{_scenario.Done}";
                var counts = $"{faults} faults · {_ledger.Count} acknowledged · {_ledger.Delivered} delivered";
                _say($"{(int)began.Elapsed.TotalSeconds,5} s · {counts} · found {_ledger.Findings}{current}");
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The faults are over.
        }
    }

    private TimeSpan QuietPatience => TimeSpan.FromSeconds(_options.Patience);

    private IReadOnlyList<MemberView> Views =>
        [.. _clients.SelectMany(client => client.Views), .. _observers.SelectMany(observer => observer.Views)];

    private string Room(int number) => $"room{number}-{_run}";

    private IReadOnlyList<string> CanaryUsers() => [.. Enumerable.Range(0, 4).Select(i => $"canary-{_run}-{i}")];

    private static async Task<Dictionary<string, string>> TokensAsync(
        ChatStack stack, IReadOnlyList<string> users, CancellationToken cancellationToken)
    {
        var tokens = new Dictionary<string, string>();
        foreach (var user in users)
        {
            tokens.Add(user, await stack.TokenAsync(user, cancellationToken));
        }

        return tokens;
    }

    /// <summary>
    /// Clients that reconnect quickly, because the run measures the server's part of a reconnect and not the client's wait.
    /// </summary>
    private static Func<string, ChatClient> Connector(ChatStack stack, Dictionary<string, string> tokens, bool throughLink = false) =>
        user => new ChatClient(new ChatClientOptions
        {
            Gateway = throughLink ? stack.GatewayThroughLink : stack.Gateway,
            TokenProvider = _ => ValueTask.FromResult(tokens[user]),
            MaxReconnectDelay = TimeSpan.FromSeconds(1),
            AckTimeout = TimeSpan.FromSeconds(5),
        });
}
