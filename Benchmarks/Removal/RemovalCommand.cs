using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using AspireChat.Benchmarks.Load;

namespace AspireChat.Benchmarks.Removal;

/// <summary>
/// How long somebody who was removed, banned or whose tokens were revoked still gets events: the whole system, one node takes the calls and the
/// other one has the connections of those whom they are about.
/// </summary>
internal static class RemovalCommand
{
    private const string Room = "measured";

    /// <summary>Most users in one call, and the index of the node that takes the calls.</summary>
    private const int MostAdded = 100, Calls = 0;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<int> RunAsync(string[] args)
    {
        RemovalOptions options;
        try
        {
            options = RemovalOptions.Parse(args);
        }
        catch (FormatException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message}\nUsage: {RemovalOptions.Usage}");
            return 2;
        }

        SilencedPubSub? silencer = null;
        using var system = AspireChatSystem.Start("AspireChat", new Dictionary<string, string>(), changes: new SystemChanges(
            RedisOfNode: (node, redis) =>
            {
                if (!options.WithoutPubSub || node == Calls)
                {
                    return redis;
                }

                var target = new Uri($"redis://{redis.Split(',')[0]}").Port;
                silencer = new SilencedPubSub(target);
                return redis.Replace($":{target}", $":{silencer.Port}", StringComparison.Ordinal);
            }));
        await using var silenced = silencer;
        using var server = new HttpClient { BaseAddress = system.Nodes[Calls] };
        server.DefaultRequestHeaders.Authorization = new("Bearer", system.Token("backend", "chat:admin"));
        await PrepareAsync(server, options);

        var delivered = 0L;
        var members = new List<LiveSocket>();
        for (var i = 0; i < options.Members; i++)
        {
            members.Add(await JoinAsync(system, system.Nodes[i % 2], $"member-{i}", (frame, _) =>
            {
                if (frame.StartsWith("{\"type\":\"room\""u8))
                {
                    Interlocked.Increment(ref delivered);
                }
            }));
        }

        using var stop = new CancellationTokenSource();
        var sending = SendAsync(members[0], options.Rate, stop.Token);
        if (silencer is not null)
        {
            silencer.IsSilent = true;
        }

        var (begun, before) = (Stopwatch.GetTimestamp(), Interlocked.Read(ref delivered));
        var tries = await TryAllAsync(system, server, options);
        var perSecond = (Interlocked.Read(ref delivered) - before) / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        await stop.CancelAsync();
        await sending;
        foreach (var member in members)
        {
            await member.DisposeAsync();
        }

        var report = RemovalReport.Of(options, tries, silencer?.Taken ?? 0, perSecond);
        Console.WriteLine(report);
        if (options.Report is not null)
        {
            await File.WriteAllTextAsync(options.Report, report);
        }

        return RemovalReport.HasPassed(options, tries) ? 0 : 1;
    }

    private static async Task PrepareAsync(HttpClient server, RemovalOptions options)
    {
        await DoneAsync(server.PutAsJsonAsync($"/api/admin/rooms/{Room}", new { visibility = options.IsPublic ? "public" : "private" }));
        var users = Enumerable.Range(0, options.Members).Select(i => $"member-{i}").Concat(Enumerable.Range(0, options.Tries).Select(Removed));
        foreach (var part in users.Chunk(MostAdded))
        {
            await DoneAsync(server.PostAsJsonAsync($"/api/admin/rooms/{Room}/members", new { members = part }));
        }
    }

    private static async Task<IReadOnlyCollection<RemovalTimes>> TryAllAsync(AspireChatSystem system, HttpClient server, RemovalOptions options)
    {
        var times = new ConcurrentQueue<RemovalTimes>();
        var running = new List<Task>();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Each), TimeProvider.System);
        for (var i = 0; i < options.Tries; i++)
        {
            var number = i;
            running.Add(Task.Run(async () => times.Enqueue(await TryAsync(system, server, options, number))));
            await timer.WaitForNextTickAsync();
            if (running.Exists(task => task.IsFaulted))
            {
                break;
            }
        }

        await Task.WhenAll(running);
        return times;
    }

    private static async Task<RemovalTimes> TryAsync(AspireChatSystem system, HttpClient server, RemovalOptions options, int number)
    {
        var user = Removed(number);
        var one = new RemovalTry((RemovalKind)(number % 3));
        await using var socket = await JoinAsync(system, system.Nodes[1 - Calls], user, one.Heard, one.Joined);
        // Events flow, whichever way they come.
        await one.Served.WaitAsync(Patience);
        // Not in step with the messages: otherwise each call would come just behind one.
        await Task.Delay(TimeSpan.FromSeconds(Random.Shared.NextDouble() * 2 / options.Rate), TimeProvider.System, CancellationToken.None);
        var begun = Stopwatch.GetTimestamp();
        await DoneAsync(one.Kind switch
        {
            RemovalKind.Removal => server.DeleteAsync($"/api/admin/rooms/{Room}/members/{user}"),
            RemovalKind.Ban => server.PutAsync($"/api/admin/rooms/{Room}/bans/{user}", null),
            _ => server.PostAsync($"/api/admin/users/{user}/revoke", null),
        });
        var answered = Stopwatch.GetTimestamp();
        await Task.Delay(RemovalTry.Watched, TimeProvider.System, CancellationToken.None);
        return one.ToTimes(begun, answered, socket);
    }

    private static async Task<LiveSocket> JoinAsync(AspireChatSystem system, Uri node, string user, FrameHeard heard, Task? joined = null)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var socket = await LiveSocket.ConnectAsync(node, system.Token(user), (frame, at) =>
        {
            if (frame.StartsWith("{\"type\":\"joined\""u8))
            {
                done.TrySetResult();
            }

            heard(frame, at);
        });
        await socket.SendAsync($$"""{"type":"join","room":"{{Room}}"}""");
        await (joined ?? done.Task).WaitAsync(Patience);
        return socket;
    }

    private static async Task SendAsync(LiveSocket sender, int rate, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / rate), TimeProvider.System);
        try
        {
            for (var number = 0; await timer.WaitForNextTickAsync(stop); number++)
            {
                await sender.SendAsync(string.Create(
                    CultureInfo.InvariantCulture, $$"""{"type":"room","room":"{{Room}}","content":"message {{number}}","nonce":"n{{number}}"}"""));
            }
        }
        catch (OperationCanceledException)
        {
            // The measurement is over.
        }
    }

    private static string Removed(int number) => string.Create(CultureInfo.InvariantCulture, $"removed-{number}");

    private static async Task DoneAsync(Task<HttpResponseMessage> call)
    {
        using var answer = await call;
        if (!answer.IsSuccessStatusCode)
        {
            var body = await answer.Content.ReadAsStringAsync();
            throw new InvalidOperationException($"{answer.RequestMessage?.RequestUri}: {(int)answer.StatusCode} {body}");
        }
    }
}
