using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AspireChat.Benchmarks.Load;

namespace AspireChat.Benchmarks.Presence;

/// <summary>
/// kill -9 of a node. Half of its users come back on another node within two seconds, the others never. Then Redis loses all data. The
/// system is right when every connected user was told the truth about every room, and PresenceService answers with the truth about every
/// user.
/// </summary>
internal sealed class KillScenario(AspireChatSystem system, int usersPerNode)
{
    private const int RoomSize = 10;
    private const int MostAsked = 500;
    private static readonly TimeSpan Return = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Check = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(6);

    public void Run()
    {
        using var crowd = new Crowd(system);
        using var redis = new RedisProbe(system.RedisConnection);
        using var http = new HttpClient { BaseAddress = system.Gateway };
        var users = usersPerNode * system.Nodes.Count;
        for (var i = 0; i < users; i++)
        {
            crowd.Add(i % system.Nodes.Count, i / RoomSize);
        }

        crowd.OpenAll(crowd.Members);
        crowd.Run(Settle);
        Console.WriteLine(
            $"{users:N0} users on {system.Nodes.Count} nodes in rooms of {RoomSize}; before: {crowd.Wrong()} views wrong, "
            + $"{Misjudged(crowd, http)} users misjudged");

        var victim = system.Nodes.Count - 1;
        var lost = crowd.Members.Where(member => member.Node == victim).ToArray();
        var back = lost.Where((_, i) => i % 2 == 0).ToArray();
        var returned = back.Select(member => member.Index).ToHashSet();
        var flaps = 0;
        crowd.WentOffline = (_, user) => flaps += returned.Contains(user) ? 1 : 0;
        system.KillNode(system.Nodes[victim]);
        var killed = Stopwatch.GetTimestamp();
        var reopened = 0;
        var right = Watch(crowd, http, TimeSpan.FromSeconds(40), killed, passed =>
        {
            for (; reopened < back.Length && reopened < passed / Return.TotalSeconds * back.Length; reopened++)
            {
                back[reopened].Node = 0;
                crowd.Open(back[reopened]);
            }
        });
        crowd.Run(Check - Stopwatch.GetElapsedTime(killed));
        Console.WriteLine(
            $"kill -9 of the node of {lost.Length:N0}, of whom {back.Length:N0} came back on the other: all right after {right:N1} s; "
            + $"after {Check.TotalSeconds:N0} s {crowd.Wrong()} views wrong, {Misjudged(crowd, http)} users misjudged; "
            + $"{flaps} times a user was told that one who came back was offline");

        redis.FlushAll();
        var wiped = Stopwatch.GetTimestamp();
        var offline = 0;
        crowd.WentOffline = (_, _) => offline++;
        // No user is told anything wrong meanwhile, so only the service's answers show when it knows the users again.
        right = Watch(crowd, http, TimeSpan.FromSeconds(30), wiped, null);
        crowd.Run(Settle + Settle);
        Console.WriteLine(
            $"Redis emptied: all right after {right:N1} s without reconnects; {offline} were told to be offline; "
            + $"later {crowd.Wrong()} views wrong, {Misjudged(crowd, http)} users misjudged");
    }

    /// <summary>Seconds until everything was right for good. It watches until nothing has changed for five seconds.</summary>
    private double Watch(Crowd crowd, HttpClient http, TimeSpan longest, long since, Action<double>? act)
    {
        var right = double.NaN;
        var next = 0.0;
        while (Stopwatch.GetElapsedTime(since) is var passed && passed < longest && !(passed.TotalSeconds - right > 5))
        {
            act?.Invoke(passed.TotalSeconds);
            crowd.Run(TimeSpan.FromMilliseconds(20));
            if (passed.TotalSeconds < next)
            {
                continue;
            }

            next = passed.TotalSeconds + 0.25;
            if (crowd.Wrong() > 0 || Misjudged(crowd, http) > 0)
            {
                right = double.NaN;
            }
            else if (double.IsNaN(right))
            {
                right = Stopwatch.GetElapsedTime(since).TotalSeconds;
            }
        }
        return right;
    }

    /// <summary>How many users' presence the HTTP API gets wrong; all users while it does not answer.</summary>
    private int Misjudged(Crowd crowd, HttpClient http)
    {
        var (wrong, token) = (0, system.Token("observer"));
        foreach (var part in crowd.Members.Chunk(MostAsked))
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/presence")
            {
                Content = JsonContent.Create(new { users = part.Select(member => member.Name) }),
            };
            request.Headers.Authorization = new("Bearer", token);
            using var answer = http.Send(request);
            if (!answer.IsSuccessStatusCode)
            {
                wrong += part.Length;
                continue;
            }
            var items = JsonNode.Parse(answer.Content.ReadAsStream())!["items"]!.AsArray();
            wrong += part.Zip(items).Count(pair => (bool)pair.Second!["online"]! != (pair.First.Connection is { IsOpen: true }));
        }
        return wrong;
    }
}
