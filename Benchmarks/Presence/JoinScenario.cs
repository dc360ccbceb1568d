using System.Diagnostics;
using AspireChat.Benchmarks.Load;

namespace AspireChat.Benchmarks.Presence;

/// <summary>
/// Many connected users join one room within ten seconds and leave it again. Measures what one connection hears of it, and how it affects
/// the latency of messages in another room.
/// </summary>
internal sealed class JoinScenario(AspireChatSystem system, int users)
{
    private const int Storm = 1;
    private const int Other = 2;
    private const int OtherMembers = 20;
    private const int Watchers = 10;
    private const double MessagesPerSecond = 50;
    private static readonly TimeSpan Ramp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(8);

    private readonly Dictionary<int, int> _frames = [];
    private double _said;
    private int _nonce;
    private int _moved;

    public void Run()
    {
        using var crowd = new Crowd(system);
        for (var i = 0; i < OtherMembers; i++)
        {
            crowd.Add(i % system.Nodes.Count, Other);
        }

        for (var i = 0; i < Watchers; i++)
        {
            crowd.Add(i % system.Nodes.Count, Storm);
        }

        for (var i = 0; i < users; i++)
        {
            crowd.Add(i % system.Nodes.Count);
        }

        var crowding = crowd.Members.Skip(OtherMembers + Watchers).ToArray();
        crowd.OpenAll(crowd.Members);
        crowd.Run(TimeSpan.FromSeconds(4));
        // A warm-up, because the first messages, joins and leaves of a process are slower than all others.
        Talk(crowd, Rest, passed => Move(crowding.AsSpan(0, users / 10), passed, Rest, "join"));
        Talk(crowd, Rest, passed => Move(crowding.AsSpan(0, users / 10), passed, Rest, "leave"));
        crowd.Run(TimeSpan.FromSeconds(4));
        crowd.Reset();

        Console.WriteLine(
            $"{users:N0} users join one room in {Ramp.TotalSeconds:N0} s and leave it again in as long; "
            + $"{MessagesPerSecond:N0} messages a second in another room of {OtherMembers}");
        Console.WriteLine();
        Console.WriteLine("| | message latency p50 | p99 | presence frames of the connection that got most |");
        Console.WriteLine("|---|---|---|---|");
        Talk(crowd, Ramp + Ramp, null);
        Print("before", crowd);
        Talk(crowd, Ramp, passed => Move(crowding, passed, Ramp, "join"));
        Talk(crowd, Rest, null);
        Print("joining and after", crowd);
        var told = crowd.Members.Take(OtherMembers + Watchers).Skip(OtherMembers).Max(member => member.Beliefs[Storm].Count);
        Talk(crowd, Ramp, passed => Move(crowding, passed, Ramp, "leave"));
        Talk(crowd, Rest, null);
        Print("leaving and after", crowd);
        Console.WriteLine();
        var most = crowd.Members.Max(member => _frames.GetValueOrDefault(member.Index));
        Console.WriteLine(
            $"The busiest connection got {most} presence frames in total; the watchers counted {told:N0} online at the peak and "
            + $"{crowd.Members[OtherMembers].Beliefs[Storm].Count} in the end; {crowd.Wrong()} views are wrong; "
            + $"{crowd.Faults} faults {crowd.FirstFault}");
    }

    private void Print(string name, Crowd crowd)
    {
        Console.WriteLine(
            $"| {name} | {crowd.MessageLatency.Milliseconds(0.5):N1} ms | {crowd.MessageLatency.Milliseconds(0.99):N1} ms "
            + $"| {crowd.Members.Max(member => member.PresenceFrames)} |");
        foreach (var member in crowd.Members)
        {
            _frames[member.Index] = _frames.GetValueOrDefault(member.Index) + member.PresenceFrames;
        }

        crowd.Reset();
    }

    /// <summary>Sends messages in the other room for a time, and calls <paramref name="also"/> meanwhile.</summary>
    private void Talk(Crowd crowd, TimeSpan time, Action<double>? also)
    {
        _said = 0;
        _moved = 0;
        crowd.Run(time, passed =>
        {
            also?.Invoke(passed);
            for (; _said < passed; _said += 1 / MessagesPerSecond)
            {
                var (sender, room) = (crowd.Members[_nonce % OtherMembers], Member.RoomOf(Other));
                sender.Connection!.Send(Dialect.Frame(
                    $$"""{"type":"room","room":"{{room}}","content":"{{Stopwatch.GetTimestamp()}}","nonce":"{{_nonce++}}"}"""));
            }
        });
    }

    private void Move(ReadOnlySpan<Member> members, double passed, TimeSpan time, string type)
    {
        for (var upTo = Math.Min(members.Length, passed / time.TotalSeconds * members.Length * 1.02); _moved < upTo; _moved++)
        {
            members[_moved].Connection?.Send(Dialect.Frame($$"""{"type":"{{type}}","room":"{{Member.RoomOf(Storm)}}"}"""));
        }
    }
}
