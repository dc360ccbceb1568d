using System.Diagnostics;
using System.Net;
using System.Text.Json;
using AspireChat.Benchmarks.Load;
using AspireChat.WebSockets;

namespace AspireChat.Benchmarks.Presence;

/// <summary>
/// Many users on the calling thread, each of whom remembers what the server told it. The crowd measures how stale that is when it arrives
/// and how much of it is wrong in the end. Each user follows the protocol as a client does: an <c>online</c> with as many names as its
/// <c>count</c> names all who are online.
/// </summary>
internal sealed class Crowd(AspireChatSystem system) : IWireReader, IDisposable
{
    private const int Pending = 50;

    /// <summary><c>Presence:Grace</c>: the time after which a closed connection means offline.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly Epoll _epoll = new();
    private readonly byte[] _buffer = new byte[1024 * 1024];
    private readonly List<Member> _members = [];
    private readonly List<(WireConnection Connection, Member Member)> _connections = [];
    private readonly Dictionary<int, List<Member>> _ofRoom = [];
    private readonly List<int> _named = [];
    private int _opening;

    public IReadOnlyList<Member> Members => _members;

    /// <summary>The time from a change to each member who was told of it. Going offline counts from the end of the grace period.</summary>
    public LatencyHistogram OnlineStaleness { get; } = new();

    public LatencyHistogram OfflineStaleness { get; } = new();

    public LatencyHistogram MessageLatency { get; } = new();

    public long PresenceFrames { get; private set; }

    public long TypingFrames { get; private set; }

    /// <summary>Unexpected ends of connections and refusals of requests.</summary>
    public long Faults { get; private set; }

    public string? FirstFault { get; private set; }

    /// <summary>Called when a member is told that a user went offline.</summary>
    public Action<Member, int>? WentOffline { get; set; }

    public Member Add(int node, params int[] rooms)
    {
        var member = new Member(_members.Count, node, rooms);
        _members.Add(member);
        foreach (var room in rooms)
        {
            if (!_ofRoom.TryGetValue(room, out var members))
            {
                _ofRoom[room] = members = [];
            }

            members.Add(member);
        }
        return member;
    }

    /// <summary>Begins to connect. After the welcome the user joins its rooms.</summary>
    public void Open(Member member)
    {
        var server = system.Nodes[member.Node];
        var connection = new WireConnection(_connections.Count, member.Name, new IPEndPoint(IPAddress.Loopback, server.Port));
        _connections.Add((connection, member));
        (member.Connection, member.Unanswered, member.ChangedAt) = (connection, member.Rooms.Length + 1, Stopwatch.GetTimestamp());
        member.Beliefs.Clear();
        _opening++;
        _epoll.Watch(connection.Handle, Readiness.Readable, connection.Index);
        connection.Upgrade(system.Dialect, server.Authority, system.Token(member.Name));
    }

    /// <summary>Drops the connection without a close frame.</summary>
    public void Close(Member member)
    {
        if (!member.IsReady)
        {
            _opening--;
        }

        member.Connection?.Dispose();
        (member.Connection, member.ChangedAt) = (null, Stopwatch.GetTimestamp());
    }

    public void OpenAll(IEnumerable<Member> members)
    {
        var deadline = Stopwatch.GetTimestamp() + 120 * Stopwatch.Frequency;
        foreach (var member in members)
        {
            Open(member);
            while (_opening >= Pending)
            {
                Wait();
            }
        }
        while (_opening > 0)
        {
            Wait();
        }

        void Wait()
        {
            Poll(20);
            if (Faults > 0 || Stopwatch.GetTimestamp() > deadline)
            {
                throw new InvalidOperationException($"{_opening} users could not connect and join: {FirstFault}");
            }
        }
    }

    /// <summary>Reads for a time. <paramref name="each"/> is called with the seconds passed, at least every few milliseconds.</summary>
    public void Run(TimeSpan time, Action<double>? each = null)
    {
        var start = Stopwatch.GetTimestamp();
        for (var passed = TimeSpan.Zero; passed < time; passed = Stopwatch.GetElapsedTime(start))
        {
            each?.Invoke(passed.TotalSeconds);
            Poll(each is null ? 20 : 5);
        }
    }

    public void Reset()
    {
        OnlineStaleness.Clear();
        OfflineStaleness.Clear();
        MessageLatency.Clear();
        (PresenceFrames, TypingFrames) = (0, 0);
        foreach (var member in _members)
        {
            member.PresenceFrames = 0;
        }
    }

    /// <summary>
    /// Pairs of a connected member and a room where what the member was told differs from who is connected now. In a room that hears only
    /// counts, only the count is compared.
    /// </summary>
    public int Wrong()
    {
        var wrong = 0;
        foreach (var (room, members) in _ofRoom)
        {
            var truth = members.Where(member => member.Connection is { IsOpen: true }).Select(member => member.Index).ToHashSet();
            wrong += members.Count(member => member.IsReady && (!member.Beliefs.TryGetValue(room, out var belief)
                || belief.Count != truth.Count || (truth.Count <= 100 && !belief.Names.SetEquals(truth))));
        }
        return wrong;
    }

    public void OnText(WireConnection connection, ReadOnlySpan<byte> text)
    {
        var member = _connections[connection.Index].Member;
        if (text.StartsWith("{\"type\":\"welcome\""u8))
        {
            foreach (var room in member.Rooms)
            {
                connection.Send(system.Dialect.Join(Member.RoomOf(room)));
            }

            Answered(member);
            return;
        }
        var frame = Read(text);
        switch (frame.Type)
        {
            case "joined":
                var belief = member.Beliefs[frame.Room] = new Belief { Count = frame.Count };
                belief.Names.UnionWith(_named);
                Answered(member);
                break;
            case "online" or "offline" or "presence":
                PresenceFrames++;
                member.PresenceFrames++;
                if (member.Beliefs.TryGetValue(frame.Room, out var known))
                {
                    Learn(member, known, frame);
                }

                break;
            case "typing":
                TypingFrames++;
                break;
            case "room" when frame.SentAt > 0:
                MessageLatency.Record((long)(Stopwatch.GetElapsedTime(frame.SentAt).TotalMilliseconds * 1000));
                break;
            case "error":
                Fault(System.Text.Encoding.UTF8.GetString(text));
                break;
        }
    }

    public void OnClosed(WireConnection connection, int code)
    {
        var member = _connections[connection.Index].Member;
        if (member.Connection != connection)
        {
            return;
        }

        if (member.Unanswered > 0)
        {
            _opening--;
        }

        member.Connection = null;
        Fault($"a connection ended with {code}");
    }

    public void Dispose()
    {
        foreach (var member in _members)
        {
            member.Connection?.Dispose();
        }

        _epoll.Dispose();
    }

    /// <summary>Forgets the faults so far, where a scenario has caused them on purpose.</summary>
    public void ForgetFaults() => (Faults, FirstFault) = (0, null);

    private void Poll(int milliseconds)
    {
        var ready = _epoll.Wait(milliseconds);
        for (var i = 0; i < ready; i++)
        {
            _connections[(int)_epoll.Ready(i).Tag].Connection.Read(_buffer, this);
        }
    }

    private void Answered(Member member)
    {
        if (--member.Unanswered == 0)
        {
            _opening--;
        }
    }

    private void Fault(string reason)
    {
        Faults++;
        FirstFault ??= reason;
    }

    private void Learn(Member member, Belief belief, in Heard frame)
    {
        belief.Count = frame.Count;
        if (frame.Type == "online")
        {
            foreach (var user in _named)
            {
                if (belief.Names.Add(user) && user != member.Index)
                {
                    Record(OnlineStaleness, user, TimeSpan.Zero);
                }
            }
            if (_named.Count == frame.Count)
            {
                belief.Names.IntersectWith(_named);
            }
        }
        else if (frame.Type == "offline")
        {
            foreach (var user in _named)
            {
                if (!belief.Names.Remove(user))
                {
                    continue;
                }

                Record(OfflineStaleness, user, Grace);
                WentOffline?.Invoke(member, user);
            }
        }
    }

    private void Record(LatencyHistogram staleness, int user, TimeSpan grace) =>
        staleness.Record((long)((Stopwatch.GetElapsedTime(_members[user].ChangedAt) - grace).TotalMilliseconds * 1000));

    /// <summary>Reads a presence frame. The users that it names go into <see cref="_named"/>.</summary>
    private Heard Read(ReadOnlySpan<byte> text)
    {
        _named.Clear();
        var frame = new Heard("", -1, 0, 0);
        var json = new Utf8JsonReader(text);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isType = json.ValueTextEquals("type"u8);
            var isRoom = json.ValueTextEquals("room"u8);
            var isCount = json.ValueTextEquals("count"u8);
            var isContent = json.ValueTextEquals("content"u8);
            var isUsers = json.ValueTextEquals("users"u8) || json.ValueTextEquals("members"u8);
            json.Read();
            if (isType)
            {
                frame = frame with { Type = json.GetString()! };
            }
            else if (isRoom)
            {
                frame = frame with { Room = NumberOf(json.ValueSpan) };
            }
            else if (isCount)
            {
                frame = frame with { Count = json.GetInt64() };
            }
            else if (isContent && long.TryParse(json.ValueSpan, out var sentAt))
            {
                frame = frame with { SentAt = sentAt };
            }
            else if (isUsers)
            {
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                {
                    _named.Add(NumberOf(json.ValueSpan));
                }
            }
            else
            {
                json.Skip();
            }
        }
        return frame;
    }

    /// <summary>The number behind the letter of a user or a room.</summary>
    private static int NumberOf(ReadOnlySpan<byte> name) => int.TryParse(name[1..], out var number) ? number : -1;

    private readonly record struct Heard(string Type, int Room, long Count, long SentAt);
}
