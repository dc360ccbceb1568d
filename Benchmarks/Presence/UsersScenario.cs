using AspireChat.Benchmarks.Load;

namespace AspireChat.Benchmarks.Presence;

/// <summary>
/// Many users in small rooms. First a fifth of them are idle, then all of them are, and then 50 a second come or go and ten begin to type.
/// The last window has the same traffic without PresenceService. The difference is what presence costs the nodes and Redis.
/// </summary>
internal sealed class UsersScenario(AspireChatSystem system, int users, int rooms)
{
    private const double ChangesPerSecond = 50;
    private const double TypingPerSecond = 10;
    private static readonly TimeSpan Absence = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan Counting = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(25);

    private readonly Random _random = new(1);
    private readonly Queue<(double At, Member Member)> _returns = new();
    private int _next;
    private long _changes;
    private double _flapped;
    private double _typed;

    public void Run()
    {
        using var crowd = new Crowd(system);
        using var redis = new RedisProbe(system.RedisConnection);
        for (var i = 0; i < users; i++)
        {
            crowd.Add(i % system.Nodes.Count, i % rooms);
        }

        var few = crowd.Members.Take(users / 5).ToArray();
        crowd.OpenAll(few);
        crowd.Run(Settle);
        var idleFew = redis.Count(Counting, time => crowd.Run(time));
        crowd.OpenAll(crowd.Members.Skip(few.Length));
        crowd.Run(Settle + Settle);
        var idleAll = redis.Count(Counting, time => crowd.Run(time));
        var idle = Measure(crowd, time => crowd.Run(time));

        Churn(crowd, Warmup);
        var changing = redis.Count(Counting, time => Churn(crowd, time));
        var with = Measure(crowd, time => Churn(crowd, time));
        var (changes, frames, typing) = (_changes, crowd.PresenceFrames, crowd.TypingFrames);
        var (online, offline) = (Percentiles(crowd.OnlineStaleness), Percentiles(crowd.OfflineStaleness));
        Settled(crowd);
        var wrong = crowd.Wrong();

        system.KillPresence();
        Churn(crowd, Warmup);
        var without = Measure(crowd, time => Churn(crowd, time));

        Console.WriteLine(
            $"{users:N0} users on {system.Nodes.Count} nodes in {rooms:N0} rooms, {ChangesPerSecond:N0} changes and "
            + $"{TypingPerSecond:N0} typing starts a second");
        Console.WriteLine();
        Console.WriteLine("| Redis commands a second | of all services | of presence, sent | of presence, in its scripts |");
        Console.WriteLine("|---|---|---|---|");
        Print($"{few.Length:N0} users idle: heartbeats", idleFew);
        Print($"{users:N0} users idle: heartbeats", idleAll);
        Print($"{users:N0} users, with changes", changing);
        Console.WriteLine();
        Console.WriteLine("| CPU, % of one core | idle | changes | changes without PresenceService | presence | per user and minute |");
        Console.WriteLine("|---|---|---|---|---|---|");
        var total = 0.0;
        foreach (var role in (Role[])[Role.Presence, Role.Node, Role.Redis])
        {
            var share = role == Role.Presence ? with[role] : with[role] - without[role];
            total += share;
            Console.WriteLine(
                $"| {role} | {idle[role]:P1} | {with[role]:P1} | {(role == Role.Presence ? "–" : $"{without[role]:P1}")} | {share:P1} "
                + $"| {share * 60_000 / users:N2} ms |");
        }
        Console.WriteLine($"| all | | | | {total:P1} | {total * 60_000 / users:N2} ms |");
        Console.WriteLine();
        Console.WriteLine("| | p50 | p99 |");
        Console.WriteLine("|---|---|---|");
        Console.WriteLine($"| staleness of online | {online} |");
        Console.WriteLine($"| staleness of offline (after the grace period) | {offline} |");
        Console.WriteLine();
        Console.WriteLine(
            $"{changes:N0} changes: {(double)frames / changes:N1} frames sent per change in rooms of {users / rooms}; "
            + $"{typing:N0} typing frames; afterwards {wrong} wrong of {users:N0} views of a room; "
            + $"{crowd.Faults} faults {crowd.FirstFault}");
    }

    private static string Percentiles(LatencyHistogram staleness) =>
        $"{staleness.Milliseconds(0.5):N0} ms | {staleness.Milliseconds(0.99):N0} ms";

    private static void Print(string name, CommandRates rates) =>
        Console.WriteLine($"| {name} | {rates.All:N0} | {rates.Calls:N1} | {rates.InScripts:N0} |");

    /// <summary>Shares of one core by role.</summary>
    private Dictionary<Role, double> Measure(Crowd crowd, Action<TimeSpan> run)
    {
        crowd.Reset();
        _changes = 0;
        var before = system.Cpu();
        run(Window);
        var after = system.Cpu();
        return before.Zip(after, (begin, end) => (begin.Role, Used: end.Value - begin.Value)).GroupBy(each => each.Role)
            .ToDictionary(each => each.Key, each => each.Sum(process => process.Used) / Window.TotalSeconds);
    }

    /// <summary>Every other change is a user who disconnects and comes back after the grace period.</summary>
    private void Churn(Crowd crowd, TimeSpan time)
    {
        var start = _flapped;
        crowd.Run(time, passed =>
        {
            var now = start + passed;
            for (; _flapped < now; _flapped += 2 / ChangesPerSecond)
            {
                var member = crowd.Members[_next++ % users];
                if (!member.IsReady)
                {
                    continue;
                }

                crowd.Close(member);
                _changes++;
                _returns.Enqueue((now + Absence.TotalSeconds, member));
            }
            for (; _typed < now; _typed += 1 / TypingPerSecond)
            {
                Type(crowd.Members[_random.Next(users)]);
            }

            Return(crowd, now);
        });
    }

    private void Return(Crowd crowd, double now)
    {
        while (_returns.TryPeek(out var due) && due.At <= now)
        {
            crowd.Open(_returns.Dequeue().Member);
            _changes++;
        }
    }

    /// <summary>Waits until all users are back and all changes are told.</summary>
    private void Settled(Crowd crowd)
    {
        Return(crowd, double.MaxValue);
        crowd.Run(Settle + Settle);
    }

    private static void Type(Member member)
    {
        if (member.IsReady)
        {
            member.Connection!.Send(Dialect.Frame($$"""{"type":"typing","room":"{{Member.RoomOf(member.Rooms[0])}}"}"""));
        }
    }
}
